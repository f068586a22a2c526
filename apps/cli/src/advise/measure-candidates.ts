import type { DecodeRequest, ForetokenError, TokenSource } from '@foretoken/core';
import { decodeOnce } from '../race/measure.js';
import type { Strategy } from '../strategies.js';
import { isRefusal } from './candidates.js';
import type { Measurement } from './measurements.js';

export const REPEATS = 3;
/** Sentences that are taken although the time is over, unless they take a second time as long. */
const MIN_SENTENCES = 8;

export interface Contestant {
  readonly name: string;
  readonly bound: Strategy;
}

export interface MeasureOptions {
  /** What all of it may take, roughly. */
  readonly milliseconds: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly textOf: (tokenIds: Int32Array) => string;
  /** Repeats that are done, of `REPEATS`. */
  readonly onProgress: (sentences: number, of: number) => void;
}

export interface Measured {
  readonly measurements: readonly Measurement[];
  /** Requests that were used: the first ones. */
  readonly sentences: number;
  /** Those that could not decode the first sentence, and why. */
  readonly refused: readonly { readonly name: string; readonly error: ForetokenError }[];
}

/**
 * Decodes the sentences with all contestants, which take turns sentence by sentence, another one beginning each time, so that none
 * profits from what ran before it, and all see the same machine.
 */
export async function measureCandidates(
  contestants: readonly Contestant[],
  requests: readonly DecodeRequest<TokenSource>[],
  { milliseconds, now, signal, textOf, onProgress }: MeasureOptions,
): Promise<Measured> {
  const able: Contestant[] = [];
  const refused: { name: string; error: ForetokenError }[] = [];
  onProgress(0, requests.length);
  for (const contestant of contestants) {
    signal.throwIfAborted();
    try {
      await decodeOnce(contestant.bound, requests[0]);
      able.push(contestant);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push({ name: contestant.name, error });
    }
  }
  const times = able.map(() => Array.from({ length: REPEATS }, () => [] as number[]));
  const outputs = able.map(() => [] as string[]);
  const began = now();
  let sentence = 0;
  for (; sentence < requests.length; sentence++) {
    const patience = sentence === 0 ? Number.POSITIVE_INFINITY : sentence < MIN_SENTENCES ? 2 : 1;
    if (now() - began > patience * milliseconds) break;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (let turn = 0; turn < able.length; turn++) {
        signal.throwIfAborted();
        const index = (sentence + repeat + turn) % able.length;
        const run = await decodeOnce(able[index].bound, requests[sentence], now);
        times[index][repeat].push(run.milliseconds);
        if (repeat === 0) outputs[index].push(textOf(run.tokenIds));
      }
    }
    onProgress(sentence + 1, requests.length);
  }
  const measurements = able.map(({ name }, index) => ({ name, milliseconds: times[index], outputs: outputs[index] }));
  return { measurements, sentences: sentence, refused };
}
