import type { OutputRequest } from '@foretoken/core';
import {
  type CacheValues,
  cacheTensor,
  type GraphSession,
  type OnnxRuntime,
  type StepInputs,
  type StepOutputs,
  type Tensor,
} from '@foretoken/core/runtime';
import { scoreValues } from './score-values.js';
import { STEP_MODES } from './step-modes.js';

/** What is fetched of a step whose scores nobody wants, as of all of a prompt but its end. */
const ONLY_NEW: readonly string[] = ['new'];

export interface StepRunOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the step graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly layers: number;
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly keyValueWidth: number;
}

/** Runs a step graph that scores with all of its modes by itself, and gives the keys and values of the new tokens in one tensor. */
export class StepRun {
  readonly #options: StepRunOptions;
  readonly #pastNames: readonly string[];
  /** Of each of `STEP_MODES`. */
  readonly #modes: readonly Tensor[];

  constructor(options: StepRunOptions) {
    this.#options = options;
    const { Tensor } = options.runtime;
    this.#pastNames = Array.from({ length: 2 * options.layers }, (_, part) => `past_${part}`);
    this.#modes = STEP_MODES.map((_, index) => new Tensor('int32', Int32Array.of(index), [1]));
  }

  /** `sourceFeeds` are what the graph reads of the sources besides. */
  async run(
    inputs: StepInputs,
    output: OutputRequest,
    sourceFeeds: Readonly<Record<string, Tensor>> = {},
  ): Promise<StepOutputs> {
    const { runtime, session, keyValueWidth } = this.#options;
    const { rows, width, pastLength, scored, past } = inputs;
    const { Tensor } = runtime;
    // A graph always scores something; what nobody asked for stays in the runtime.
    const cells = scored.length === 0 ? Int32Array.of(0) : scored;
    const feeds: Record<string, Tensor> = {
      ...sourceFeeds,
      token_ids: new Tensor('int32', inputs.tokenIds, [rows, width]),
      positions: new Tensor('int32', inputs.positions, [rows, width]),
      attention_bias: new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]),
      scored: new Tensor('int32', cells, [cells.length]),
      mode: this.#modes[STEP_MODES.indexOf(output.kind)],
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
}
