import type { OutputRequest } from '@foretoken/core';
import type { Feeds, GraphSession, OnnxRuntime, StepOutputs, Tensor } from '@foretoken/core/runtime';
import type { GraphSessions } from './graph-sessions.js';
import { type BodyStepFiles, floats, ONLY_NEW, type OpenedStep, readScores, type StepGraphs } from './step-graphs.js';
import { placedInOutput, placedInSource } from './unplaced-tokens.js';
import { type ListedTokens, VocabularyGraph } from './vocabulary-graph.js';

/** Rows of the largest batch that is measured; see `probeBatches`. */
const BATCH_ROWS = 8;

/** The step of a large model, divided into layers and vocabulary; `width` is that of its states. */
export function openBodyStep(step: BodyStepFiles, width: number, sessions: GraphSessions): OpenedStep {
  const body = (): Promise<GraphSession> => sessions.get(step.body);
  const vocabulary = new VocabularyGraph(
    sessions.runtime,
    () => sessions.get(step.vocabulary),
    width,
    step.typicalTokens !== undefined,
  );
  const open = async (signal: AbortSignal | undefined): Promise<void> => {
    await sessions.get(step.vocabulary);
    signal?.throwIfAborted();
    await body();
  };
  const measured = step.typicalTokens && everywhere(sessions.runtime, step.typicalTokens);
  const { runtime } = sessions;
  const { unplacedTokenId: unplaced } = step;
  const embed: OpenedStep['embed'] = async ({ token_ids: tokenIds, positions, mask }) => ({
    embedded: await vocabulary.embed(tokenIds),
    positions: placedInSource(runtime, tokenIds, positions, unplaced),
    mask,
  });
  const placed: PlaceTokens = (tokenIds, positions) => placedInOutput(runtime, tokenIds, positions, unplaced);
  return { graphs: new BodyGraphs(body, vocabulary, measured, placed), embed, open };
}

/** Positions of tokens, by those that are usual. */
type PlaceTokens = (tokenIds: Tensor, positions: Tensor) => Tensor;

/** One graph of the layers and one of the vocabulary, which all outputs share: a step is three calls, and weights are there once. */
class BodyGraphs implements StepGraphs {
  readonly #body: () => Promise<GraphSession>;
  readonly #vocabulary: VocabularyGraph;
  readonly #typical: RowTokens | undefined;
  readonly #placed: PlaceTokens;

  /** `body` gives the graph of the layers, opening it on first use. `typical` is scored where no source lists tokens, while forwards are measured. */
  constructor(
    body: () => Promise<GraphSession>,
    vocabulary: VocabularyGraph,
    typical: RowTokens | undefined,
    placed: PlaceTokens,
  ) {
    this.#body = body;
    this.#vocabulary = vocabulary;
    this.#typical = typical;
    this.#placed = placed;
  }

  async run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs> {
    const {
      token_ids: tokenIds,
      listed = this.#typical?.listed,
      possible = this.#typical?.possible,
      ...others
    } = feeds;
    const embedded = await this.#vocabulary.embed(tokenIds);
    const body = await this.#body();
    const positions = this.#placed(tokenIds, feeds.positions);
    const results = await body.run({ ...others, embedded, positions }, wanted ? undefined : ONLY_NEW);
    const { states } = results;
    const tokens = listed && possible && { listed, possible, sourceOf: sourcesOf(feeds) };
    const extension =
      states === undefined ? readScores({}, output) : await this.#vocabulary.score(states, output, tokens);
    return { keysValues: floats(results.new), extension };
  }
}

/** Listed tokens, and which of them each row may have. */
type RowTokens = Pick<ListedTokens, 'listed' | 'possible'>;

/** The same tokens for every row that is measured. */
function everywhere({ Tensor }: OnnxRuntime, tokenIds: Int32Array): RowTokens {
  const dims = [BATCH_ROWS, tokenIds.length];
  return {
    listed: new Tensor('int32', tokenIds, [tokenIds.length]),
    possible: new Tensor('float32', new Float32Array(BATCH_ROWS * tokenIds.length), dims),
  };
}

/** Of which row of `token_ids [rows, width]` each scored cell is. */
function sourcesOf({ token_ids: tokenIds, scored }: Feeds): ListedTokens['sourceOf'] {
  const [, width] = tokenIds.dims;
  return (scored.data as Int32Array).map((cell) => Math.floor(cell / width));
}
