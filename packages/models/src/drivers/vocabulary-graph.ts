import type { OutputRequest } from '@foretoken/core';
import type { ExtensionValues, GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { withCandidateCount } from './common-feeds.js';
import { scoreValues } from './score-values.js';
import { VOCABULARY_MODES } from './vocabulary-modes.js';

/** The graph of a large model that holds the embedding table: it embeds tokens, and scores states with the same table. */
export class VocabularyGraph {
  readonly #runtime: OnnxRuntime;
  readonly #session: () => Promise<GraphSession>;
  readonly #width: number;
  /** Feeds of what a mode does not read. */
  readonly #nothing: Readonly<Record<'token_ids' | 'states' | 'k', Tensor>>;
  readonly #modes: ReadonlyMap<string, Tensor>;

  /** `session` gives the graph, opening it on first use. */
  constructor(runtime: OnnxRuntime, session: () => Promise<GraphSession>, width: number) {
    const { Tensor } = runtime;
    this.#runtime = runtime;
    this.#session = session;
    this.#width = width;
    this.#nothing = {
      token_ids: new Tensor('int32', new Int32Array(0), [0]),
      states: new Tensor('float32', new Float32Array(0), [0, width]),
      k: new Tensor('int64', BigInt64Array.of(1n), [1]),
    };
    this.#modes = new Map(
      VOCABULARY_MODES.map((mode, index) => [mode, new Tensor('int32', Int32Array.of(index), [1])]),
    );
  }

  /** Embeddings of token ids int32 `[rows, time]`, `[rows, time, width]`. Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  embed = async (tokenIds: Tensor): Promise<Tensor> => {
    const { Tensor } = this.#runtime;
    const flat = new Tensor('int32', tokenIds.data as Int32Array, [tokenIds.data.length]);
    const { scores } = await this.#run('embed', { token_ids: flat });
    return new Tensor('float32', scores?.data as Float32Array, [...tokenIds.dims, this.#width]);
  };

  /** Scores after each of `states [rows, width]`. Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  async score(states: Tensor, output: OutputRequest): Promise<ExtensionValues> {
    const results = await this.#run(output.kind, withCandidateCount(this.#runtime, { states }, output));
    return scoreValues({ scores: results.scores, tokenIds: results.best_token_ids, states }, output);
  }

  async #run(mode: string, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const session = await this.#session();
    return session.run({ ...this.#nothing, ...feeds, mode: this.#modes.get(mode) as Tensor });
  }
}
