import type { OutputRequest } from '@foretoken/core';
import {
  type CacheValues,
  cacheTensor,
  type GraphSession,
  type OnnxRuntime,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  type Tensor,
} from '@foretoken/core/runtime';
import { scoreValues } from '../../drivers/score-values.js';
import { STEP_MODES } from '../../drivers/step-modes.js';

/**
 * Least grid width of a row that is alone, and of all rows where others may join: with one query the runtime attends with other
 * kernels, whose sums differ in the last bits, so plain decoding and verification would differ.
 */
export const LONE_ROW_WIDTH = 2;

/** What is fetched of a step whose scores nobody wants, as of all of a prompt but its end. */
const ONLY_NEW: readonly string[] = ['new'];

export interface CausalStepOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the step graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly layers: number;
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly keyValueWidth: number;
  readonly paddedWidth: (width: number) => number;
  /** Rows may join. */
  readonly joining?: boolean | undefined;
}

/** Runs the step graph of a decoder-only model. It reads no source but what its forest feeds, so it has no state. */
export class CausalStepDriver implements StepDriver {
  readonly #options: CausalStepOptions;
  readonly #pastNames: readonly string[];
  readonly #modes: ReadonlyMap<string, Tensor>;

  constructor(options: CausalStepOptions) {
    this.#options = options;
    const { Tensor } = options.runtime;
    this.#pastNames = Array.from({ length: 2 * options.layers }, (_, part) => `past_${part}`);
    this.#modes = new Map(STEP_MODES.map((mode, index) => [mode, new Tensor('int32', Int32Array.of(index), [1])]));
  }

  paddedWidth(width: number, rows: number): number {
    const { paddedWidth, joining } = this.#options;
    return Math.max(paddedWidth(width), rows === 1 || joining === true ? LONE_ROW_WIDTH : 1);
  }

  async run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    const { runtime, session, keyValueWidth } = this.#options;
    const { rows, width, pastLength, scored, past } = inputs;
    const { Tensor } = runtime;
    // A graph always scores something; what nobody asked for stays in the runtime.
    const cells = scored.length === 0 ? Int32Array.of(0) : scored;
    const feeds: Record<string, Tensor> = {
      token_ids: new Tensor('int32', inputs.tokenIds, [rows, width]),
      positions: new Tensor('int32', inputs.positions, [rows, width]),
      attention_bias: new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]),
      scored: new Tensor('int32', cells, [cells.length]),
      mode: this.#modes.get(output.kind) as Tensor,
      k: new Tensor('int64', BigInt64Array.of(BigInt('k' in output ? output.k : 1)), [1]),
    };
    for (let part = 0; part < this.#pastNames.length; part++) {
      feeds[this.#pastNames[part]] = cacheTensor(runtime, past[part], [rows, pastLength, keyValueWidth]);
    }
    const wanted = ['new', 'scores', 'best_token_ids', ...(output.states === true ? ['states'] : [])];
    const results = await (await session()).run(feeds, scored.length === 0 ? ONLY_NEW : wanted);
    const { scores, best_token_ids: tokenIds, states } = results;
    return {
      keysValues: results.new?.data as CacheValues,
      extension: scoreValues({ scores, tokenIds, states }, output),
    };
  }

  releaseRow(): void {}

  dispose(): void {}
}
