import type { TokenSource } from '@foretoken/core';
import { END, START, VOCABULARY, WRITERS } from './task.ts';

/** The state: how far each writer is believed in (natural logarithms), and how many tokens were written. */
export const WIDTH: number = WRITERS.length + 1;
const UNLIKELY = -30;

/** Before anything is written: how often each writer is met. */
export const initialState: Float32Array = Float32Array.from([...WRITERS.map(({ share }) => Math.log(share)), 0]);

/** State and token in, state out. A token speaks against every writer who would have written another. */
export function step(state: Float32Array, tokenId: number, source: TokenSource): Float32Array {
  if (tokenId === START) return state;
  const next = state.slice();
  const written = state[WIDTH - 1];
  for (const [index, writer] of WRITERS.entries()) {
    if (writer.writes(source[written], written) !== tokenId) next[index] += UNLIKELY;
  }
  next[WIDTH - 1] = written + 1;
  return next;
}

/** The output layer: a token is as probable as all writers together who would write it next. */
export function logitsOf(state: Float32Array, source: TokenSource): Float32Array {
  const logits = new Float32Array(VOCABULARY.size).fill(UNLIKELY);
  const written = state[WIDTH - 1];
  if (written >= source.length) {
    logits[END] = 0;
    return logits;
  }
  const beliefs = state.subarray(0, WIDTH - 1);
  const highest = Math.max(...beliefs);
  const mass = new Float64Array(VOCABULARY.size);
  for (const [index, writer] of WRITERS.entries()) {
    mass[writer.writes(source[written], written)] += Math.exp(beliefs[index] - highest);
  }
  return logits.map((low, tokenId) => Math.max(low, Math.log(mass[tokenId])));
}
