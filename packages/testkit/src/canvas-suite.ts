import type { Canvas, TokenSource } from '@foretoken/core';
import { randomLogits } from './random-logits.js';
import {
  randomCanvasScore,
  type ScriptedCanvasModel,
  type ScriptedCanvasOptions,
  scriptedCanvasModel,
} from './scripted-canvas.js';

export const VOCABULARY: number = 8;
export const END: number = 0;
export const MASK: number = VOCABULARY - 1;
export const MAX_LENGTH: number = 12;
export const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

/** Lengths 0 to 9 for a source; the end token wins now and then, the mask would if it were allowed to. */
export const modelOf = (seed: number, more: Partial<ScriptedCanvasOptions> = {}): ScriptedCanvasModel => {
  const lengths = randomLogits({ seed: seed + 500, vocabularySize: 10, endTokenId: -1 });
  return scriptedCanvasModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    maskTokenId: MASK,
    maxLength: MAX_LENGTH,
    score: randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [] }),
    lengths: (source) => lengths(source, []),
    ...more,
  });
};

/** Scores of an output of two or three positions, three being more probable. */
export const TWO_OR_MORE: readonly number[] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 9];

/** Scores of which those of `tokenIds` are possible, the last most probable. */
export function onlyOf(tokenIds: readonly number[]): Float32Array {
  const scores = new Float32Array(VOCABULARY).fill(Number.NEGATIVE_INFINITY);
  for (const [rank, tokenId] of tokenIds.entries()) scores[tokenId] = rank;
  return scores;
}

/** Canvases of all fills from a call on, in order. */
export function filledOf({ calls }: ScriptedCanvasModel, from = 0): readonly Canvas[] {
  return calls.slice(from).flatMap((call) => (call.call === 'fill' ? call.canvases : []));
}
