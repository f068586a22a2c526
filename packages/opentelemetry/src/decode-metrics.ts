import type { Attributes, Histogram, Meter } from '@opentelemetry/api';
import { GEN_AI } from './names.js';

// The buckets that the conventions advise, in seconds and in tokens.
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

/** What is measured of one decode. */
export interface Measured {
  readonly seconds: number;
  /** Absent where nothing came out. */
  readonly firstSeconds?: number | undefined;
  /** Absent where a source is no list of tokens. */
  readonly inputTokens?: number | undefined;
  readonly outputTokens: number;
  /** Absent where nothing failed. */
  readonly error?: string | undefined;
}

/** The histograms of one meter. */
export class DecodeMetrics {
  readonly #duration: Histogram;
  readonly #tokens: Histogram;
  readonly #first: Histogram;

  constructor(meter: Meter) {
    const histogram = (name: string, unit: string, description: string, explicitBucketBoundaries: number[]) =>
      meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
    this.#duration = histogram(GEN_AI.durationMetric, 's', 'Duration of a decode.', SECONDS);
    this.#tokens = histogram(GEN_AI.tokensMetric, '{token}', 'Tokens read and written.', TOKENS);
    this.#first = histogram(GEN_AI.firstChunkMetric, 's', 'Time until the first token is final.', FIRST_SECONDS);
  }

  record({ seconds, firstSeconds, inputTokens, outputTokens, error }: Measured, attributes: Attributes): void {
    this.#duration.record(seconds, error === undefined ? attributes : { ...attributes, [GEN_AI.error]: error });
    if (firstSeconds !== undefined) this.#first.record(firstSeconds, attributes);
    if (inputTokens !== undefined) this.#tokens.record(inputTokens, { ...attributes, [GEN_AI.tokenType]: 'input' });
    this.#tokens.record(outputTokens, { ...attributes, [GEN_AI.tokenType]: 'output' });
  }
}
