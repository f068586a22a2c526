import type { OutputRequest } from '@foretoken/core';
import type { ExtensionValues, GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { withCandidateCount } from './common-feeds.js';
import { scoreValues } from './score-values.js';
import { VOCABULARY_MODES, type VocabularyMode } from './vocabulary-modes.js';

/** Tokens that are scored in the place of all. */
export interface ListedTokens {
  /** Token ids int32 `[listed]`, distinct. The same tensor as before says that they are the same. */
  readonly listed: Tensor;
  /** What is added to their scores: 0 or -Infinity, `[sources, listed]`. */
  readonly possible: Tensor;
  /** Of which source each state is, int32 `[states]`. */
  readonly sourceOf: Int32Array;
}

/** The graph of a large model that holds the embedding table: it embeds tokens, and scores states with the same table. */
export class VocabularyGraph {
  readonly #runtime: OnnxRuntime;
  readonly #session: () => Promise<GraphSession>;
  readonly #width: number;
  /** Feeds of what a mode does not read. */
  readonly #nothing: Readonly<Record<string, Tensor>>;
  /** Of each of `VOCABULARY_MODES`. */
  readonly #modes: readonly Tensor[];
  /** Rows of the table `[listed, width]`, by the tensor that lists them. */
  readonly #rows = new WeakMap<Tensor, Promise<Tensor>>();

  /** `session` gives the graph, opening it on first use. `shortlisted` says that it can score listed tokens alone. */
  constructor(runtime: OnnxRuntime, session: () => Promise<GraphSession>, width: number, shortlisted = false) {
    const { Tensor } = runtime;
    this.#runtime = runtime;
    this.#session = session;
    this.#width = width;
    const empty = {
      token_ids: new Tensor('int32', new Int32Array(0), [0]),
      states: new Tensor('float32', new Float32Array(0), [0, width]),
      k: new Tensor('int64', BigInt64Array.of(1n), [1]),
    };
    const unlisted = {
      listed: empty.token_ids,
      table: empty.states,
      possible: new Tensor('float32', new Float32Array(0), [0, 0]),
      possible_of: empty.token_ids,
    };
    this.#nothing = shortlisted ? { ...empty, ...unlisted } : empty;
    this.#modes = VOCABULARY_MODES.map((_, index) => new Tensor('int32', Int32Array.of(index), [1]));
  }

  /** Embeddings of token ids int32 `[rows, time]`, `[rows, time, width]`. Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  embed = async (tokenIds: Tensor): Promise<Tensor> => {
    const { Tensor } = this.#runtime;
    const flat = new Tensor('int32', tokenIds.data as Int32Array, [tokenIds.data.length]);
    const { scores } = await this.#run('embed', { token_ids: flat });
    return new Tensor('float32', scores?.data as Float32Array, [...tokenIds.dims, this.#width]);
  };

  /** Scores after each of `states [rows, width]`, of listed tokens alone or of all. Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  async score(states: Tensor, output: OutputRequest, tokens?: ListedTokens): Promise<ExtensionValues> {
    const feeds = tokens === undefined ? { states } : { states, ...(await this.#listed(tokens)) };
    const results = await this.#run(output.kind, withCandidateCount(this.#runtime, feeds, output));
    return scoreValues({ scores: results.scores, tokenIds: results.best_token_ids, states }, output);
  }

  async #listed({ listed, possible, sourceOf }: ListedTokens): Promise<Readonly<Record<string, Tensor>>> {
    let rows = this.#rows.get(listed);
    if (rows === undefined) {
      rows = this.#run('rows', { token_ids: listed }).then(({ scores }) => scores as Tensor);
      this.#rows.set(listed, rows);
      // Who tries again reads them again.
      rows.catch(() => this.#rows.delete(listed));
    }
    const possibleOf = new this.#runtime.Tensor('int32', sourceOf, [sourceOf.length]);
    return { listed, table: await rows, possible, possible_of: possibleOf };
  }

  async #run(mode: VocabularyMode, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const session = await this.#session();
    return session.run({ ...this.#nothing, ...feeds, mode: this.#modes[VOCABULARY_MODES.indexOf(mode)] });
  }
}
