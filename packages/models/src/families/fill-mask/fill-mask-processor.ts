import { type Alternatives, ForetokenError } from '@foretoken/core';
import type { Processor, TextOutput } from '../../processors/processor.js';
import type { TextTokenizer } from '../../tokenizer/text-tokenizer.js';
import { countMasks, fillText } from './masked-text.js';

/** A token that may stand at a mask. */
export interface MaskCandidate {
  /** The token as text; as the vocabulary spells it where it is no part of texts. */
  readonly text: string;
  /** Its probability under the model, 0 to 1. */
  readonly probability: number;
}

/** What stands at a mask. */
export interface MaskFill {
  /** The token as text; as the vocabulary spells it where it is no part of texts. */
  readonly text: string;
  /** The most probable tokens, best first, where the decoder was asked for `alternatives`. */
  readonly candidates?: readonly MaskCandidate[] | undefined;
}

/** What a model that fills masks makes of a text: the whole text, and what stands at each mask. */
export interface FillMaskOutput extends TextOutput {
  /** In the order of the masks. */
  readonly fills: readonly MaskFill[];
}

/** Texts with masks in, filled texts out. They do not grow from left to right, so there are no streams of them. */
export function fillMaskProcessor(tokenizer: TextTokenizer, maskTokenId: number): Processor<string, FillMaskOutput> {
  const mask = tokenizer.tokenText(maskTokenId);
  const spelled = (tokenId: number): string => tokenizer.decode([tokenId]) || tokenizer.tokenText(tokenId);
  const candidates = ({ tokenIds, logProbs }: Alternatives): MaskCandidate[] =>
    Array.from(tokenIds, (tokenId, rank) => ({ text: spelled(tokenId), probability: Math.exp(logProbs[rank]) }));
  return {
    input: `a text with ${mask} in it`,
    isInput: (value) => typeof value === 'string',
    read: (text) => {
      const source = tokenizer.encode(text, 'prompt');
      if (countMasks(source, maskTokenId) === 0) throw noMask(text, mask);
      return { source, unknownTokens: tokenizer.countUnknown(source) };
    },
    write: ({ tokenIds, alternatives }, source) => ({
      text: tokenizer.decode(fillText(source, maskTokenId, tokenIds).tokenIds),
      fills: Array.from(tokenIds, (tokenId, at) => ({
        text: spelled(tokenId),
        candidates: alternatives && candidates(alternatives[at]),
      })),
    }),
    readOutput: (text) => tokenizer.encode(text, 'output'),
  };
}

function noMask(text: string, mask: string): ForetokenError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new ForetokenError(
    'INVALID_ARGUMENT',
    `The text ${JSON.stringify(shown)} has no ${mask}, so there is nothing to fill. Write ${mask} where a word is wanted, as in "The capital of France is ${mask}."`,
    { received: shown, required: mask },
  );
}
