import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  ForestOptions,
  ForwardCosts,
  OpenOptions,
  TokenForest,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import { assertTokenSources, forestOptions, refuseEncoding } from '@foretoken/core/kit';
import { assertRows, type JoiningRows, KeyValueStore, STEADY_SLOTS, StoreForest } from '@foretoken/core/runtime';
import { maxPartCells } from '../../drivers/measured-costs.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import { CausalStepDriver, type CausalStepOptions, LONE_ROW_WIDTH } from './causal-step-driver.js';

export interface CausalModelOptions {
  readonly step: CausalStepOptions;
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly maxCandidates: number;
  /** What forwards cost, where it was measured. */
  readonly costs: ForwardCosts | undefined;
}

/** A decoder-only language model: the source is a prompt, the first tokens of its row. */
export class CausalModel implements AutoregressiveModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly costs: ForwardCosts | undefined;
  readonly #step: CausalStepOptions;

  constructor({ step, vocabulary, maxLength, maxCandidates, costs }: CausalModelOptions) {
    this.#step = step;
    this.vocabulary = vocabulary;
    this.maxLength = maxLength;
    this.costs = costs;
    this.supports = {
      outputs: STEP_MODES,
      states: STEP_MODES,
      branching: true,
      rollback: true,
      rows: 4096,
      joining: true,
      maxCandidates,
    };
  }

  async open(sources: readonly TokenSource[], given?: ForestOptions): Promise<TokenForest<TokenSource>> {
    const options = forestOptions(given);
    const { joining = false, sharing = true } = options;
    refuseEncoding(options);
    assertRows(this.supports, sources.length);
    const prompts = (rows: readonly TokenSource[]): Int32Array[] => {
      assertTokenSources(rows, { vocabularySize: this.vocabulary.size, max: this.maxLength });
      return rows.map((row) => row.slice());
    };
    const prefixes = prompts(sources);
    const { layers, keyValueWidth } = this.#step;
    const join = async (rows: readonly TokenSource[], own: OpenOptions): Promise<JoiningRows> => {
      refuseEncoding(own);
      // A prompt is all that a row has, and the forest reads it.
      return { prefixes: prompts(rows), admit() {} };
    };
    const forest = {
      store: new KeyValueStore({
        driver: new CausalStepDriver({ ...this.#step, joining }),
        rows: sources.length,
        parts: 2 * layers,
        partWidth: keyValueWidth,
        joining,
      }),
      prefixes,
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      maxCells: maxPartCells(this.costs),
      // Hidden slots fill whole vectors, so what follows a shared prompt is added up as if the whole had been read.
      sharing: sharing ? { block: STEADY_SLOTS, own: joining ? 1 : LONE_ROW_WIDTH } : undefined,
      join: joining ? join : undefined,
    };
    return await StoreForest.open(forest, options.signal);
  }
}
