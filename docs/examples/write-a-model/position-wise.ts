import type { TokenSource } from '@foretoken/core';
import { END, VOCABULARY } from './task.ts';

/** A source, and an output that someone wrote for it. */
export type Pair = readonly [source: TokenSource, output: Int32Array];

/** Scores of every token at each position, `[length, vocab]`. A position's depend on nothing that stands at another. */
export type CanvasLogits = (source: TokenSource, length: number) => Float32Array | Promise<Float32Array>;

const UNSEEN = 1e-6;

/** What the network knows of a position: whether it is the first, and its digit. It knows nothing of the others. */
const featureOf = (position: number, digit = END): number => (position === 0 ? 0 : VOCABULARY.size) + digit;

/** Training is counting: which token stood at such a position, and how often. */
export function train(pairs: readonly Pair[]): CanvasLogits {
  const { size } = VOCABULARY;
  const counts = new Float64Array(2 * size * size).fill(UNSEEN);
  for (const [source, output] of pairs) {
    for (const [position, tokenId] of output.entries())
      counts[featureOf(position, source[position]) * size + tokenId]++;
  }
  return (source, length) => {
    const logits = new Float32Array(length * size);
    for (let position = 0; position < length; position++) {
      const feature = featureOf(position, source[position]);
      logits.set(counts.subarray(feature * size, (feature + 1) * size).map(Math.log), position * size);
    }
    return logits;
  };
}
