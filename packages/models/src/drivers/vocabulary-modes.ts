import type { OutputKind } from '@foretoken/core';

/** What the vocabulary's graph is asked for, by its place in this list. */
export const VOCABULARY_MODES: readonly ('embed' | 'rows' | OutputKind)[] = [
  'embed',
  'argmax',
  'topK',
  'logProbs',
  'logits',
  'rows',
];
