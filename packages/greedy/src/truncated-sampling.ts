import { ForetokenError } from '@foretoken/core';
import {
  argmax,
  fields,
  integer,
  number,
  type OptionTable,
  type RandomStream,
  sampleToken,
  truncateEpsilon,
  truncateEta,
  truncateMinP,
  truncateTopK,
  truncateTopP,
  truncateTypical,
} from '@foretoken/core/kit';
import { MIROSTAT_OPTIONS, Mirostat, type MirostatOptions } from './mirostat.js';
import type { Pick } from './token-choice.js';

/** Temperature and truncations, in the order in which they apply. */
export interface TruncationOptions {
  /** Scores are divided by it (default 1); 0 takes the most probable token. */
  readonly temperature?: number | undefined;
  /** Keep the k most probable tokens. */
  readonly topK?: number | undefined;
  /** Keep the most probable tokens that together reach this probability. */
  readonly topP?: number | undefined;
  /** Keep tokens at least this fraction as probable as the most probable one. */
  readonly minP?: number | undefined;
  /** Keep the tokens of typical surprise that together reach this probability. */
  readonly typicalP?: number | undefined;
  /** Cut tokens less probable than this. */
  readonly epsilonCutoff?: number | undefined;
  /** Cut tokens less probable than this, or than a bound that falls as the entropy rises. */
  readonly etaCutoff?: number | undefined;
  /** Replaces all truncations above by its own. */
  readonly mirostat?: MirostatOptions | undefined;
}

export const TRUNCATION_OPTIONS: OptionTable<TruncationOptions> = {
  temperature: number(0, Number.MAX_VALUE),
  topK: integer(1),
  topP: number(Number.MIN_VALUE, 1),
  minP: number(0, 1),
  typicalP: number(Number.MIN_VALUE, 1),
  epsilonCutoff: number(0, 1, true),
  etaCutoff: number(0, 1, true),
  mirostat: fields(MIROSTAT_OPTIONS, ['surprise']),
};

/** Throws `INVALID_ARGUMENT` for options that contradict one another. */
export function assertTruncation(options: TruncationOptions): void {
  const { temperature, topK, topP, minP, typicalP, epsilonCutoff, etaCutoff, mirostat } = options;
  if (mirostat === undefined) return;
  const other = Object.entries({ topK, topP, minP, typicalP, epsilonCutoff, etaCutoff }).find(
    ([, value]) => value !== undefined,
  );
  if (other !== undefined || temperature === 0) {
    const option = other?.[0] ?? 'temperature';
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `mirostat truncates by itself and contradicts ${option} ${String(other?.[1] ?? 0)}. Leave one of them out.`,
      { option, received: other?.[1] ?? 0 },
    );
  }
}

/** Draws from a row's own random stream after temperature and truncations; made for one decode. */
export function randomPick(options: TruncationOptions, streams: readonly RandomStream[]): Pick {
  const { temperature = 1, topK, topP, minP, typicalP, epsilonCutoff, etaCutoff } = options;
  const mirostat = options.mirostat && new Mirostat(options.mirostat);
  return (scores, hypothesis) => {
    if (temperature !== 1) cool(scores, temperature);
    if (topK !== undefined && topK < scores.length) truncateTopK(scores, topK);
    if (topP !== undefined && topP < 1) truncateTopP(scores, topP);
    if (minP !== undefined && minP > 0) truncateMinP(scores, minP);
    if (typicalP !== undefined && typicalP < 1) truncateTypical(scores, typicalP);
    if (epsilonCutoff !== undefined) truncateEpsilon(scores, epsilonCutoff);
    if (etaCutoff !== undefined) truncateEta(scores, etaCutoff);
    const { row, sample, output } = hypothesis;
    const uniform = streams[row].uniform(output.length, sample);
    return mirostat === undefined ? sampleToken(scores, uniform) : mirostat.draw(scores, uniform, hypothesis);
  };
}

/** Divides by the temperature; the best score becomes 0 first, so that no score can overflow. */
function cool(scores: Float32Array, temperature: number): void {
  const best = scores[Math.max(argmax(scores), 0)];
  for (let id = 0; id < scores.length; id++) scores[id] = (scores[id] - best) / temperature;
}
