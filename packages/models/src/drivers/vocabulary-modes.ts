import type { OutputKind } from '@foretoken/core';

/** What the vocabulary's graph can be asked for. */
export type VocabularyMode = 'embed' | 'rows' | OutputKind;

/** All of it; the graph's input is the place in this list. */
export const VOCABULARY_MODES: readonly VocabularyMode[] = ['embed', 'argmax', 'topK', 'logProbs', 'logits', 'rows'];
