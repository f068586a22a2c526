import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  type ForestOptions,
  ForetokenError,
  type TokenForest,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import { assertTokenSources, forestOptions, joinTokens, refuseEncoding } from '@foretoken/core/kit';
import { assertRows, type GraphSession, type OnnxRuntime, RecurrentStore, StoreForest } from '@foretoken/core/runtime';
import { type EncodedRow, encodeRows } from './encoded-rows.js';
import type { RecurrentManifest } from './recurrent-manifest.js';
import { RecurrentStepDriver } from './recurrent-step-driver.js';

const NOTHING: EncodedRow = { time: 0, outputs: new Map() };

/** A recurrent model as token trees with a state in each node. */
export class RecurrentModel implements AutoregressiveModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly #manifest: RecurrentManifest;
  readonly #runtime: OnnxRuntime;
  readonly #session: (file: string) => Promise<GraphSession>;

  constructor(manifest: RecurrentManifest, runtime: OnnxRuntime, session: (file: string) => Promise<GraphSession>) {
    this.#manifest = manifest;
    this.#runtime = runtime;
    this.#session = session;
    this.vocabulary = manifest.vocabulary;
    this.maxLength = manifest.limits.targetLength;
    this.supports = {
      outputs: ['argmax', 'topK', 'logProbs', 'logits'],
      branching: true,
      rollback: true,
      rows: 1024,
      maxCandidates: manifest.step.maxCandidates,
    };
  }

  async open(sources: readonly TokenSource[], given?: ForestOptions): Promise<TokenForest<TokenSource>> {
    const options = forestOptions(given);
    const { signal } = options;
    const { encoder, graphs, limits, vocabulary, step } = this.#manifest;
    const vocabularySize = encoder?.vocabularySize ?? vocabulary.size;
    assertTokenSources(sources, { vocabularySize, min: encoder === undefined ? 0 : 1, max: limits.sourceLength });
    assertRows(this.supports, sources.length);
    refuseEncoding(options);
    if (options.joining === true) {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'No row can join a forest of this model.', {
        capability: 'joining',
      });
    }
    const axes = new Map(step.inputs.map(({ from = '', batchAxis = 0 }) => [from, batchAxis]));
    const session = await this.#session(graphs.step);
    const rows =
      encoder === undefined || graphs.encoder === undefined
        ? sources.map(() => NOTHING)
        : await encodeRows(encoder, axes, sources, this.#runtime, await this.#session(graphs.encoder), signal);
    const { startTokenId } = vocabulary;
    const driver = new RecurrentStepDriver(this.#manifest, this.#runtime, session, rows);
    return new StoreForest<TokenSource>({
      store: new RecurrentStore(driver, sources.length),
      // The source of a language model is how its text begins.
      prefixes: sources.map((source) => joinTokens([startTokenId], encoder === undefined ? source : [])),
      vocabularySize: vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
    });
  }
}
