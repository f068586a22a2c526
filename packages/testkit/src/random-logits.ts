import { checkOptions, integer, number, type OptionTable } from '@foretoken/core/kit';

/** A pure function of the source and the output so far: unnormalised scores of all next tokens, `[vocab]`. */
export type Score = (source: Int32Array, output: readonly number[]) => ArrayLike<number>;

/** What random, repeatable scores are like. */
export interface RandomLogitsOptions {
  readonly seed: number;
  readonly vocabularySize: number;
  readonly endTokenId: number;
  /** Spread of the scores; the larger, the surer the model (default 3). */
  readonly sharpness?: number | undefined;
  /** Output length at which the end token becomes likely (default 8). */
  readonly typicalLength?: number | undefined;
}

/** Also of the options that pass these on. */
export const RANDOM_LOGITS_OPTIONS: OptionTable<RandomLogitsOptions> = {
  seed: integer(Number.MIN_SAFE_INTEGER),
  vocabularySize: integer(1),
  endTokenId: integer(Number.MIN_SAFE_INTEGER),
  sharpness: number(0, Number.MAX_VALUE),
  typicalLength: number(0, Number.MAX_VALUE, true),
};

/** One step of a 32-bit mixing function; good enough to make every history look unrelated to every other. */
function mix(state: number, value: number): number {
  let hash = Math.imul(state ^ (value + 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Scores that depend on every token of the source and the output, in order, and on nothing else. */
export function randomLogits(options: RandomLogitsOptions): Score {
  const {
    seed,
    vocabularySize,
    endTokenId,
    sharpness = 3,
    typicalLength = 8,
  } = checkOptions('randomLogits', options, RANDOM_LOGITS_OPTIONS, ['seed', 'vocabularySize', 'endTokenId']);
  return (source, output) => {
    let history = mix(seed, 1);
    for (const tokenId of source) history = mix(history, tokenId);
    history = mix(history, -1);
    for (const tokenId of output) history = mix(history, tokenId);
    return Float32Array.from({ length: vocabularySize }, (_, tokenId) => {
      const score = sharpness * (mix(history, tokenId) / 2 ** 32);
      return tokenId === endTokenId ? score + sharpness * (output.length / typicalLength - 1) : score;
    });
  };
}
