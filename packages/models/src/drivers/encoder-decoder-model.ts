import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  ForestOptions,
  ForwardCosts,
  OpenOptions,
  OutputKind,
  TokenForest,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import { forestOptions } from '@foretoken/core/kit';
import { assertRows, type JoiningRows, KeyValueStore, type OnnxRuntime, StoreForest } from '@foretoken/core/runtime';
import { maxPartCells } from './measured-costs.js';
import { ReadingStepDriver, type ReadingStepShape } from './reading-step-driver.js';
import type { StepGraphs } from './step-graphs.js';
import type { TokenEncoder } from './token-encoder.js';

export interface EncoderDecoderOptions {
  readonly runtime: OnnxRuntime;
  readonly encoder: TokenEncoder;
  readonly graphs: StepGraphs;
  readonly outputs: readonly OutputKind[];
  /** Output kinds that can also return hidden states. */
  readonly states: readonly OutputKind[];
  readonly maxCandidates: number;
  readonly vocabulary: Vocabulary;
  /** Tokens that every output begins with, the start token first. */
  readonly beginning: readonly number[];
  readonly maxLength: number;
  readonly shape: ReadingStepShape;
  readonly paddedWidth: (width: number) => number;
  /** What forwards cost, where it was measured. */
  readonly costs: ForwardCosts | undefined;
}

/** An encoder and a decoder as an autoregressive model: token forests over step graphs that read an encoded source. */
export class EncoderDecoderModel implements AutoregressiveModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder: TokenEncoder;
  readonly costs: ForwardCosts | undefined;
  readonly #options: EncoderDecoderOptions;

  constructor(options: EncoderDecoderOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.maxLength = options.maxLength;
    this.encoder = options.encoder;
    this.costs = options.costs;
    const maxCandidates = options.outputs.includes('topK') ? options.maxCandidates : 0;
    const { outputs, states } = options;
    this.supports = { outputs, states, branching: true, rollback: true, rows: 4096, joining: true, maxCandidates };
  }

  async open(sources: readonly TokenSource[], given?: ForestOptions): Promise<TokenForest<TokenSource>> {
    const options = forestOptions(given);
    const { runtime, encoder, graphs, shape, beginning, paddedWidth } = this.#options;
    const { joining = false } = options;
    assertRows(this.supports, sources.length);
    const prefixes = (rows: readonly TokenSource[]): Int32Array[] => rows.map(() => Int32Array.from(beginning));
    const encode = (rows: readonly TokenSource[], { encoding, signal }: OpenOptions) =>
      encoder.reuseOrEncode(rows, encoding, signal);
    const encoding = await encode(sources, options);
    const driver = new ReadingStepDriver(runtime, graphs, shape, encoding, paddedWidth, joining);
    const { layers, width } = shape;
    const join = async (rows: readonly TokenSource[], own: OpenOptions): Promise<JoiningRows> => {
      const joined = await encode(rows, own);
      return { prefixes: prefixes(rows), admit: () => driver.admit(joined) };
    };
    return new StoreForest({
      store: new KeyValueStore({ driver, rows: sources.length, parts: 2 * layers, partWidth: width, joining }),
      prefixes: prefixes(sources),
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      maxCells: maxPartCells(this.costs),
      join: joining ? join : undefined,
    });
  }
}
