import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  type ForestOptions,
  ForetokenError,
  type ForwardCosts,
  type OpenOptions,
  type TokenForest,
  type Vocabulary,
} from '@foretoken/core';
import { assertTokenSources, forestOptions, maxScoredCells, refuseEncoding } from '@foretoken/core/kit';
import { assertRows, PathStore, StoreForest } from '@foretoken/core/runtime';
import { heardPrompts } from '../../audio/heard-prompts.js';
import type { AudioSource } from '../../audio/speech-input.js';
import { promptOf } from '../../audio/speech-prompt.js';
import { maxPartCells } from '../../drivers/measured-costs.js';
import type { ManifestSpeech } from '../../folder/speech-schema.js';
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
  /** Tokens that tell it what to do, after the first of those. */
  readonly speech?: ManifestSpeech | undefined;
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
    assertRows(this.supports, sources.length);
    if (options.joining === true) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        'No row can join a forest of an exported model: what its graphs give of a row may differ in the last bits by the rows beside it. Import the weights for that.',
        { capability: 'joining' },
      );
    }
    const { encoder, steps, beginning, vocabulary, maxLength } = this.#options;
    if (encoder === undefined) {
      refuseEncoding(options);
      assertTokenSources(sources, { vocabularySize: vocabulary.size, max: maxLength });
      const prompts = sources.map((prompt) => Int32Array.from([...beginning, ...prompt]));
      return this.#forest(new ExportDriver(steps, undefined), prompts);
    }
    const { encoded, prefixes } = await this.#encode(encoder, sources, options);
    const { runtime, maskPlaces } = steps;
    const prefixLengths = prefixes.map(({ length }) => length);
    return this.#forest(
      new ExportDriver(steps, new ExportSources(runtime, encoded, { maskPlaces, prefixLengths })),
      prefixes,
    );
  }

  #forest(driver: ExportDriver, prefixes: readonly Int32Array[]): StoreForest<ExportSource> {
    return new StoreForest({
      store: new PathStore(driver, prefixes.length),
      prefixes,
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      // Every cell is scored, asked for or not.
      maxCells: Math.min(maxPartCells(this.costs) ?? Number.POSITIVE_INFINITY, maxScoredCells(this.vocabulary.size)),
    });
  }

  /** The states that rows read, and what they begin with. */
  async #encode(encoder: StatesEncoder, sources: readonly ExportSource[], { encoding, signal }: OpenOptions) {
    const { steps, beginning, speech, vocabulary } = this.#options;
    if (speech === undefined) {
      const { sources: encoded } = await encoder.reuseOrEncode(sources, encoding, signal);
      return { encoded, prefixes: sources.map(() => Int32Array.from(beginning)) };
    }
    encoder.check?.(sources);
    // What a row cannot be asked for is refused before anything is computed.
    const prompts = sources.map((source) => promptOf(beginning[0], speech, source as AudioSource));
    const { sources: encoded } = await encoder.reuseOrEncode(sources, encoding, signal);
    const open = (rows: readonly number[], starts: readonly Int32Array[]): StoreForest<ExportSource> => {
      const { runtime, maskPlaces } = steps;
      const begun = rows.map((row) => encoded[row]);
      // A language may be one of the tokens that are never output.
      const driver = new ExportDriver({ ...steps, suppressed: [] }, new ExportSources(runtime, begun, { maskPlaces }));
      return this.#forest(driver, starts);
    };
    const hearing = { vocabularySize: vocabulary.size, languages: speech.languages, open };
    return { encoded, prefixes: await heardPrompts(prompts, hearing, signal) };
  }
}
