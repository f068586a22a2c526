import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  type Extension,
  ForetokenError,
  type ForwardCosts,
  type NewNodes,
  type OpenOptions,
  type OutputKind,
  type OutputRequest,
  type TokenForest,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import { KeyValueForest, type OnnxRuntime } from '@foretoken/core/runtime';
import type { TokenEncoder } from '../../drivers/token-encoder.js';
import { MarianStepDriver, type MarianStepShape, type StepSessions } from './marian-step-driver.js';

export interface MarianModelOptions {
  readonly runtime: OnnxRuntime;
  readonly encoder: TokenEncoder;
  readonly sessions: StepSessions;
  readonly outputs: readonly OutputKind[];
  /** Output kinds that can also return hidden states. */
  readonly states: readonly OutputKind[];
  readonly maxCandidates: number;
  readonly vocabulary: Vocabulary;
  readonly startTokenId: number;
  readonly maxLength: number;
  readonly shape: MarianStepShape;
  readonly paddedWidth: (width: number) => number;
  /** What forwards cost, where it was measured. */
  readonly costs: ForwardCosts | undefined;
}

/** The autoregressive half of a Marian model: token forests over its step graphs. */
export class MarianModel implements AutoregressiveModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder: TokenEncoder;
  readonly costs: ForwardCosts | undefined;
  readonly #options: MarianModelOptions;

  constructor(options: MarianModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.maxLength = options.maxLength;
    this.encoder = options.encoder;
    this.costs = options.costs;
    const maxCandidates = options.outputs.includes('topK') ? options.maxCandidates : 0;
    const { outputs, states } = options;
    this.supports = { outputs, states, branching: true, rollback: true, rows: 4096, maxCandidates };
  }

  async open(sources: readonly TokenSource[], options: OpenOptions = {}): Promise<TokenForest> {
    const { runtime, encoder, sessions, shape, startTokenId, paddedWidth } = this.#options;
    if (sources.length > this.supports.rows) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `A batch holds at most ${this.supports.rows} sources, but there are ${sources.length}. Decode in parts.`,
        { received: sources.length, most: this.supports.rows },
      );
    }
    const encoding = await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    return new MarianForest(
      {
        driver: new MarianStepDriver(runtime, sessions, shape, encoding, paddedWidth),
        prefixes: sources.map(() => Int32Array.of(startTokenId)),
        vocabularySize: this.vocabulary.size,
        maxLength: this.maxLength,
        parts: 2 * shape.layers,
        partWidth: shape.width,
      },
      this.#options,
    );
  }
}

/** Refuses outputs the model folder has no graph for, before anything is computed. */
class MarianForest extends KeyValueForest {
  readonly #model: Pick<MarianModelOptions, 'outputs' | 'states' | 'maxCandidates'>;

  constructor(
    options: ConstructorParameters<typeof KeyValueForest>[0],
    model: Pick<MarianModelOptions, 'outputs' | 'states' | 'maxCandidates'>,
  ) {
    super(options);
    this.#model = model;
  }

  override async extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>> {
    const { outputs, states, maxCandidates } = this.#model;
    const offered = output.states === true ? states : outputs;
    if (!offered.includes(output.kind)) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `This model folder has no graph for the ${output.kind} output${output.states === true ? ' with states' : ''}; ` +
          `it offers: ${offered.join(', ') || 'none'}.`,
        { capability: output.kind, offered },
      );
    }
    if ('k' in output && !(Number.isInteger(output.k) && output.k >= 1 && output.k <= maxCandidates)) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `k must be an integer from 1 to ${maxCandidates}, but was ${output.k}.`,
        { option: 'k', received: output.k, least: 1, most: maxCandidates },
      );
    }
    return super.extend(nodes, output, signal);
  }
}
