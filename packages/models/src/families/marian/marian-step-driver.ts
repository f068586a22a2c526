import type { OutputKind, OutputRequest } from '@foretoken/core';
import type {
  ExtensionValues,
  GraphSession,
  OnnxRuntime,
  StepDriver,
  StepInputs,
  StepOutputs,
  Tensor,
} from '@foretoken/core/runtime';
import type { TokenEncoding } from '../../drivers/token-encoder.js';

export interface MarianStepShape {
  readonly width: number;
  readonly layers: number;
}

/** Added to the attention score of padding. */
const HIDDEN = -1e9;

/**
 * Least grid width of a row that is alone. ONNX Runtime attends with other kernels where there is one query, and their sums
 * differ in the last bits; with two and more they agree, so plain decoding and verification get the same scores, bit by bit.
 * The padding is not scored and costs next to nothing. In a batch it would cost a third, so there a lone node stays alone.
 */
export const LONE_ROW_WIDTH = 2;

/** What a step graph ends in: an output kind, or one with hidden states beside it. */
export type StepHead = OutputKind | 'topKWithStates';

/** Gives the step graph that ends in a head, loading it on first use. */
export type StepSessions = (head: StepHead) => Promise<GraphSession>;

/** The head whose graph computes an output. */
export function stepHeadOf({ kind, states }: OutputRequest): StepHead {
  return states === true && kind === 'topK' ? 'topKWithStates' : kind;
}

/** Runs a Marian model's step graphs over one batch of encoded sources. */
export class MarianStepDriver implements StepDriver {
  readonly #runtime: OnnxRuntime;
  readonly #sessions: StepSessions;
  readonly #shape: MarianStepShape;
  readonly #paddedWidth: (width: number) => number;
  readonly #sourceLength: number;
  #rows: number;
  /** `[rows, sourceLength]` of the open rows, 0 for padding. */
  #mask: Int32Array;
  /** Keys and values of the sources by layer and side, `[rows, sourceLength, width]`; the encoding's own until a row ends. */
  #cross: Float32Array[];
  #owned = false;
  /** Inputs of the next forward; what belongs to the sources stays from one to the next. */
  readonly #feeds: Record<string, Tensor> = {};
  /** Cross-attention bias by width, until a row ends. */
  #crossBiases: Tensor[] = [];
  readonly #crossNames: readonly string[];
  readonly #pastNames: readonly string[];

  constructor(
    runtime: OnnxRuntime,
    sessions: StepSessions,
    shape: MarianStepShape,
    encoding: TokenEncoding,
    paddedWidth: (width: number) => number,
  ) {
    this.#runtime = runtime;
    this.#sessions = sessions;
    this.#shape = shape;
    this.#paddedWidth = paddedWidth;
    this.#sourceLength = encoding.sourceLength;
    this.#rows = encoding.rows;
    this.#mask = encoding.mask;
    const size = encoding.rows * encoding.sourceLength * shape.width;
    this.#cross = Array.from({ length: 2 * shape.layers }, (_, part) =>
      encoding.cross.subarray(part * size, (part + 1) * size),
    );
    this.#crossNames = this.#cross.map((_, part) => `cross_${part}`);
    this.#pastNames = this.#cross.map((_, part) => `past_${part}`);
    this.#feedSources();
  }

  paddedWidth(width: number, rows: number): number {
    return Math.max(this.#paddedWidth(width), rows === 1 ? LONE_ROW_WIDTH : 1);
  }

  async run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    const { rows, width, pastLength, scored } = inputs;
    const { Tensor } = this.#runtime;
    const feeds = this.#feeds;
    feeds.token_ids = new Tensor('int32', inputs.tokenIds, [rows, width]);
    feeds.positions = new Tensor('int32', inputs.positions, [rows, width]);
    feeds.scored = new Tensor('int32', scored, [scored.length]);
    feeds.attention_bias = new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]);
    this.#crossBiases[width] ??= new Tensor('float32', this.#crossBias(width), [rows, 1, width, this.#sourceLength]);
    feeds.cross_bias = this.#crossBiases[width];
    const past = [rows, pastLength, this.#shape.width];
    for (let part = 0; part < this.#pastNames.length; part++) {
      feeds[this.#pastNames[part] as string] = new Tensor('float32', inputs.past[part] as Float32Array, past);
    }
    // A graph refuses inputs that it does not have.
    if ('k' in output) feeds.k = new Tensor('int64', BigInt64Array.of(BigInt(output.k)), [1]);
    else if ('k' in feeds) delete feeds.k;
    const session = await this.#sessions(stepHeadOf(output));
    const results = await session.run(feeds);
    return { keysValues: floats(results.new), extension: readScores(results, output) };
  }

  /** `[rows, 1, width, sourceLength]`: hides padding from every new node. */
  #crossBias(width: number): Float32Array {
    const time = this.#sourceLength;
    const bias = new Float32Array(this.#rows * width * time);
    // A row alone is seldom padded: only in what remains of a batch.
    for (let row = 0; row < this.#rows; row++) {
      const padding = this.#mask.indexOf(0, row * time);
      if (padding < 0) break;
      if (padding >= (row + 1) * time) continue;
      for (let node = 0; node < width; node++) {
        const begin = (row * width + node) * time;
        bias.fill(HIDDEN, begin + padding - row * time, begin + time);
      }
    }
    return bias;
  }

  releaseRow(row: number): void {
    const last = --this.#rows;
    if (last === 0) return;
    if (!this.#owned) {
      // Others may still be reading the encoding.
      this.#cross = this.#cross.map((values) => values.slice());
      this.#mask = this.#mask.slice();
      this.#owned = true;
    }
    if (row !== last) {
      const size = this.#sourceLength * this.#shape.width;
      for (const values of this.#cross) values.copyWithin(row * size, last * size, (last + 1) * size);
      this.#mask.copyWithin(row * this.#sourceLength, last * this.#sourceLength, (last + 1) * this.#sourceLength);
    }
    this.#feedSources();
  }

  dispose(): void {
    this.#cross = [];
    this.#crossBiases = [];
    for (const name of Object.keys(this.#feeds)) delete this.#feeds[name];
  }

  /** The open rows' keys and values as graph inputs: views, since rows sit without gaps. */
  #feedSources(): void {
    const { width } = this.#shape;
    const dims = [this.#rows, this.#sourceLength, width];
    const size = this.#rows * this.#sourceLength * width;
    for (const [part, values] of this.#cross.entries()) {
      const name = this.#crossNames[part] as string;
      this.#feeds[name] = new this.#runtime.Tensor('float32', values.subarray(0, size), dims);
    }
    this.#crossBiases = [];
  }
}

type Results = Readonly<Record<string, Tensor>>;

const floats = (tensor: Tensor | undefined): Float32Array => tensor?.data as Float32Array;

function readScores(results: Results, output: OutputRequest): ExtensionValues {
  switch (output.kind) {
    case 'argmax':
      return { kind: 'argmax', tokenIds: results.best?.data as Int32Array, scores: floats(results.score_0) };
    case 'topK':
      return {
        kind: 'topK',
        k: output.k,
        tokenIds: results.best_token_ids?.data as Int32Array,
        logProbs: floats(results.best_0),
        ...(output.states === true ? { states: floats(results.states) } : {}),
      };
    case 'logProbs':
      return { kind: 'logProbs', logProbs: floats(results.log_probs) };
    case 'logits':
      return { kind: 'logits', logits: floats(results.logits) };
  }
}
