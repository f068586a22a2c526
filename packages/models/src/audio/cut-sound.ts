import { ForetokenError } from '@foretoken/core';
import { checkOptions, integer, number, type OptionTable, wrongValue } from '@foretoken/core/kit';
import { SAMPLE_RATE } from './log-mel.js';

/** Part of a window, at its end, in which the quietest place is looked for. */
const SEARCHED = 1 / 3;
/** Seconds over which loudness is measured. */
const MEASURED = 0.2;

/** How sound is cut. */
export interface CutOptions {
  /** Samples a second; default 16,000. */
  readonly sampleRate?: number | undefined;
  /** Most seconds of a window; default 30, what most speech models read. */
  readonly seconds?: number | undefined;
}

const OPTIONS: OptionTable<CutOptions> = { sampleRate: integer(1, 1_000_000), seconds: number(0.1, 3600) };

/**
 * Cuts long sound into windows that a model can read: each ends at the quietest place of the last third of what it may hold, so that few
 * words are cut. The windows are views of the samples; together they are all of them.
 *
 * Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` where there are no samples.
 */
export function cutSound(samples: Float32Array, options: CutOptions = {}): readonly Float32Array[] {
  if (!ArrayBuffer.isView(samples) || !(samples instanceof Float32Array))
    throw wrongValue('samples', samples, 'a Float32Array');
  if (samples.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no samples.', {});
  const { sampleRate = SAMPLE_RATE, seconds = 30 } = checkOptions('cutSound', options, OPTIONS);
  const max = Math.max(1, Math.floor(seconds * sampleRate));
  const span = Math.max(1, Math.floor(Math.min(MEASURED * sampleRate, (max * SEARCHED) / 2)));
  const windows: Float32Array[] = [];
  let begin = 0;
  while (samples.length - begin > max) {
    const end = quietest(samples, begin + Math.floor(max * (1 - SEARCHED)), begin + max, span);
    windows.push(samples.subarray(begin, end));
    begin = end;
  }
  windows.push(samples.subarray(begin));
  return windows;
}

/** The middle of the quietest `span` samples between two places. */
function quietest(samples: Float32Array, from: number, to: number, span: number): number {
  let power = 0;
  for (let at = from; at < from + span; at++) power += samples[at] ** 2;
  let [lowest, place] = [power, from];
  for (let at = from; at + span < to; at++) {
    power += samples[at + span] ** 2 - samples[at] ** 2;
    if (power >= lowest) continue;
    lowest = power;
    place = at + 1;
  }
  return place + Math.floor(span / 2);
}
