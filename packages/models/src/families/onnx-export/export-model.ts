import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  type ForestOptions,
  ForetokenError,
  type ForwardCosts,
  type TokenForest,
  type Vocabulary,
} from '@foretoken/core';
import { assertTokenSources, forestOptions, maxScoredCells, refuseEncoding } from '@foretoken/core/kit';
import { assertRows, PathStore, StoreForest } from '@foretoken/core/runtime';
import { maxPartCells } from '../../drivers/measured-costs.js';
import { ExportDriver, type ExportSteps } from './export-driver.js';
import type { ExportSource, StatesEncoder } from './export-encoder.js';
import { ExportSources } from './export-sources.js';

/** Most candidates of a node: what candidates are chosen from is here anyway. */
const MAX_CANDIDATES = 1024;

export interface ExportModelOptions {
  /** Absent in decoder-only models, whose sources are prompts. */
  readonly encoder: StatesEncoder | undefined;
  readonly steps: ExportSteps;
  readonly vocabulary: Vocabulary;
  /** Tokens that every output begins with. */
  readonly beginning: readonly number[];
  /** See `AutoregressiveModel.forcedTokens`. */
  readonly forcedTokens?: number | undefined;
  readonly maxLength: number;
  readonly costs: ForwardCosts | undefined;
}

/** An exported encoder and decoder: token forests over whole caches. */
export class ExportModel implements AutoregressiveModel<ExportSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder: StatesEncoder | undefined;
  readonly costs: ForwardCosts | undefined;
  readonly forcedTokens: number | undefined;
  readonly #options: ExportModelOptions;

  constructor(options: ExportModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.maxLength = options.maxLength;
    this.encoder = options.encoder;
    this.costs = options.costs;
    this.forcedTokens = options.forcedTokens;
    this.supports = {
      outputs: ['argmax', 'topK', 'logProbs', 'logits'],
      branching: true,
      rollback: true,
      rows: 4096,
      maxCandidates: Math.min(MAX_CANDIDATES, options.vocabulary.size),
    };
  }

  async open(sources: readonly ExportSource[], given?: ForestOptions): Promise<TokenForest<ExportSource>> {
    const options = forestOptions(given);
    const { steps } = this.#options;
    assertRows(this.supports, sources.length);
    if (options.joining === true) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        'No row can join a forest of an exported model: what its graphs give of a row may differ in the last bits by the rows beside it. Import the weights for that.',
        { capability: 'joining' },
      );
    }
    const { sources: states, prefixes } = await this.#read(sources, options);
    const driver = new ExportDriver(steps, states);
    return new StoreForest({
      store: new PathStore(driver, sources.length),
      prefixes,
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      // Every cell is scored, asked for or not.
      maxCells: Math.min(maxPartCells(this.costs) ?? Number.POSITIVE_INFINITY, maxScoredCells(this.vocabulary.size)),
    });
  }

  /** What rows begin with, and the states that they read. */
  async #read(sources: readonly ExportSource[], options: ForestOptions) {
    const { encoder, steps, beginning, vocabulary, maxLength } = this.#options;
    if (encoder === undefined) {
      refuseEncoding(options);
      assertTokenSources(sources, { vocabularySize: vocabulary.size, max: maxLength });
      return { sources: undefined, prefixes: sources.map((prompt) => Int32Array.from([...beginning, ...prompt])) };
    }
    const encoded = await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    return {
      sources: new ExportSources(steps.runtime, encoded.sources, steps.maskPlaces),
      prefixes: sources.map(() => Int32Array.from(beginning)),
    };
  }
}
