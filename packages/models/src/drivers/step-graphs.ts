import type { OutputKind, OutputRequest } from '@foretoken/core';
import type { ExtensionValues, Feeds, GraphSession, OnnxRuntime, StepOutputs, Tensor } from '@foretoken/core/runtime';
import type { BodyGraphFiles, HeadGraphFiles } from '../folder/manifest.js';
import { withCandidateCount } from './common-feeds.js';
import type { VocabularyGraph } from './vocabulary-graph.js';

/** The graphs of a decoder step, however they are divided. */
export interface StepGraphs {
  /**
   * Runs a step. `feeds` holds all inputs that the graphs of all heads have in common, token ids among them; it is read during the
   * call. Scores are empty unless they are `wanted`. Throws `RUNTIME_FAILURE`, `DISPOSED`.
   */
  run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs>;
}

/** What a step graph ends in: an output kind, or one with hidden states beside it. */
export type StepHead = OutputKind | 'topKWithStates';

/** What is fetched of a step whose scores nobody wants. */
const ONLY_NEW: readonly string[] = ['new'];

/** Every step head. */
const HEADS: readonly StepHead[] = ['argmax', 'topK', 'topKWithStates', 'logProbs', 'logits'];

/** What the graphs of a step can return. */
export function stepOutputs(step: HeadGraphFiles | BodyGraphFiles): readonly StepHead[] {
  return 'body' in step ? HEADS : HEADS.filter((head) => step[head] !== undefined);
}

/** One graph for each head, opened on first use: a step is one call. */
export class HeadGraphs implements StepGraphs {
  readonly #runtime: OnnxRuntime;
  readonly #sessions: (head: StepHead) => Promise<GraphSession>;

  constructor(runtime: OnnxRuntime, sessions: (head: StepHead) => Promise<GraphSession>) {
    this.#runtime = runtime;
    this.#sessions = sessions;
  }

  async run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs> {
    const { kind, states } = output;
    const session = await this.#sessions(states === true && kind === 'topK' ? 'topKWithStates' : kind);
    const results = await session.run(withCandidateCount(this.#runtime, feeds, output), wanted ? undefined : ONLY_NEW);
    return { keysValues: floats(results.new), extension: readScores(results, output) };
  }
}

/** One graph of the layers and one of the vocabulary, which all outputs share: a step is three calls, and weights are there once. */
export class BodyGraphs implements StepGraphs {
  readonly #body: () => Promise<GraphSession>;
  readonly #vocabulary: VocabularyGraph;

  /** `body` gives the graph of the layers, opening it on first use. */
  constructor(body: () => Promise<GraphSession>, vocabulary: VocabularyGraph) {
    this.#body = body;
    this.#vocabulary = vocabulary;
  }

  async run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs> {
    const { token_ids: tokenIds, ...others } = feeds;
    const embedded = await this.#vocabulary.embed(tokenIds);
    const body = await this.#body();
    const results = await body.run({ ...others, embedded }, wanted ? undefined : ONLY_NEW);
    const { states } = results;
    const extension = states === undefined ? readScores({}, output) : await this.#vocabulary.score(states, output);
    return { keysValues: floats(results.new), extension };
  }
}

type Results = Readonly<Record<string, Tensor>>;

/** Nothing where an output was not asked for. */
const floats = (tensor: Tensor | undefined): Float32Array => (tensor?.data ?? new Float32Array()) as Float32Array;
const integers = (tensor: Tensor | undefined): Int32Array => (tensor?.data ?? new Int32Array()) as Int32Array;

function readScores(results: Results, output: OutputRequest): ExtensionValues {
  switch (output.kind) {
    case 'argmax':
      return { kind: 'argmax', tokenIds: integers(results.best), scores: floats(results.score_0) };
    case 'topK':
      return {
        kind: 'topK',
        k: output.k,
        tokenIds: integers(results.best_token_ids),
        logProbs: floats(results.best_0),
        states: output.states === true ? floats(results.states) : undefined,
      };
    case 'logProbs':
      return { kind: 'logProbs', logProbs: floats(results.log_probs) };
    case 'logits':
      return { kind: 'logits', logits: floats(results.logits) };
  }
}
