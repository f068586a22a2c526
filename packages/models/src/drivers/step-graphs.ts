import type { OutputKind, OutputRequest } from '@foretoken/core';
import type { ExtensionValues, Feeds, GraphSession, OnnxRuntime, StepOutputs, Tensor } from '@foretoken/core/runtime';
import type { BodyGraphFiles, HeadGraphFiles } from '../folder/manifest.js';
import { withCandidateCount } from './common-feeds.js';
import type { EmbedTokens } from './token-encoder.js';

/** The graphs of a decoder step, however they are divided. */
export interface StepGraphs {
  /**
   * Runs a step. `feeds` holds all inputs that the graphs of all heads have in common, token ids among them; it is read during the
   * call. Scores are empty unless they are `wanted`. Throws `RUNTIME_FAILURE`, `DISPOSED`.
   */
  run(feeds: Feeds, output: OutputRequest, wanted: boolean): Promise<StepOutputs>;
}

/** A folder's step, its graphs opened when they are used. */
export interface OpenedStep {
  readonly graphs: StepGraphs;
  /** What embeds the tokens of sources, where the encoder does not. */
  readonly embed: EmbedTokens | undefined;
  /** Opens the graphs that every step runs, or the one that greedy decoding runs. Throws as `sessions` do, or the signal's reason. */
  readonly open: (signal: AbortSignal | undefined) => Promise<void>;
}

/** The files of a step that is divided. */
export interface BodyStepFiles extends BodyGraphFiles {
  /** Where the vocabulary's graph can score listed tokens alone: those that forwards are measured with, which read no source. */
  readonly typicalTokens?: Int32Array | undefined;
  /** A token that has no position, in sources and outputs. */
  readonly unplacedTokenId?: number | undefined;
}

/** What a step graph ends in: an output kind, or one with hidden states beside it. */
export type StepHead = OutputKind | 'topKWithStates';

/** What is fetched of a step whose scores nobody wants. */
export const ONLY_NEW: readonly string[] = ['new'];

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

type Results = Readonly<Record<string, Tensor>>;

/** Nothing where an output was not asked for. */
export const floats = (tensor: Tensor | undefined): Float32Array =>
  (tensor?.data ?? new Float32Array()) as Float32Array;
const integers = (tensor: Tensor | undefined): Int32Array => (tensor?.data ?? new Int32Array()) as Int32Array;

/** What a step's results say of the scores that were asked for. */
export function readScores(results: Results, output: OutputRequest): ExtensionValues {
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
