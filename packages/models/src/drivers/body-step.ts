import type { OutputRequest } from '@foretoken/core';
import type { Feeds, GraphSession, StepOutputs } from '@foretoken/core/runtime';
import type { GraphSessions } from './graph-sessions.js';
import type { OpenedStep } from './open-step.js';
import { type BodyStepFiles, floats, ONLY_NEW, readScores, type StepGraphs } from './step-graphs.js';
import { type ListedTokens, VocabularyGraph } from './vocabulary-graph.js';

/** The step of a large model, divided into layers and vocabulary; `width` is that of its states. */
export function openBodyStep(step: BodyStepFiles, width: number, sessions: GraphSessions): OpenedStep {
  const body = (): Promise<GraphSession> => sessions.get(step.body);
  const vocabulary = new VocabularyGraph(
    sessions.runtime,
    () => sessions.get(step.vocabulary),
    width,
    step.shortlisted,
  );
  const open = async (signal: AbortSignal | undefined): Promise<void> => {
    await sessions.get(step.vocabulary);
    signal?.throwIfAborted();
    await body();
  };
  return { graphs: new BodyGraphs(body, vocabulary), embed: vocabulary.embed, open };
}

/** One graph of the layers and one of the vocabulary, which all outputs share: a step is three calls, and weights are there once. */
class BodyGraphs implements StepGraphs {
  readonly #body: () => Promise<GraphSession>;
  readonly #vocabulary: VocabularyGraph;

  /** `body` gives the graph of the layers, opening it on first use. */
  constructor(body: () => Promise<GraphSession>, vocabulary: VocabularyGraph) {
    this.#body = body;
    this.#vocabulary = vocabulary;
  }

  async run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs> {
    const { token_ids: tokenIds, listed, possible, ...others } = feeds;
    const embedded = await this.#vocabulary.embed(tokenIds);
    const body = await this.#body();
    const results = await body.run({ ...others, embedded }, wanted ? undefined : ONLY_NEW);
    const { states } = results;
    const tokens = listed && possible && { listed, possible, sourceOf: sourcesOf(feeds) };
    const extension =
      states === undefined ? readScores({}, output) : await this.#vocabulary.score(states, output, tokens);
    return { keysValues: floats(results.new), extension };
  }
}

/** Of which row of `token_ids [rows, width]` each scored cell is. */
function sourcesOf({ token_ids: tokenIds, scored }: Feeds): ListedTokens['sourceOf'] {
  const [, width] = tokenIds.dims;
  return (scored.data as Int32Array).map((cell) => Math.floor(cell / width));
}
