import type { BodyGraphFiles, HeadGraphFiles } from '../folder/manifest.js';
import type { GraphSessions } from './graph-sessions.js';
import { BodyGraphs, HeadGraphs, type StepGraphs } from './step-graphs.js';
import type { EmbedTokens } from './token-encoder.js';
import { VocabularyGraph } from './vocabulary-graph.js';

/** A folder's step, its graphs opened when they are used. */
export interface OpenedStep {
  readonly graphs: StepGraphs;
  /** What embeds the tokens of sources, where the encoder does not. */
  readonly embed: EmbedTokens | undefined;
  /** Opens the graphs that every step runs, or the one that greedy decoding runs. Throws as `sessions` do, or the signal's reason. */
  readonly open: (signal: AbortSignal | undefined) => Promise<void>;
}

/** The step of a folder, however it is divided into graphs; `width` is that of its states. */
export function openStep(step: HeadGraphFiles | BodyGraphFiles, width: number, sessions: GraphSessions): OpenedStep {
  const { runtime } = sessions;
  if ('body' in step) {
    const vocabulary = new VocabularyGraph(runtime, () => sessions.get(step.vocabulary), width);
    const open = async (signal: AbortSignal | undefined): Promise<void> => {
      await sessions.get(step.vocabulary);
      signal?.throwIfAborted();
      await sessions.get(step.body);
    };
    return { graphs: new BodyGraphs(() => sessions.get(step.body), vocabulary), embed: vocabulary.embed, open };
  }
  // The model says which outputs have a graph, and the forest refuses any other kind first.
  const heads = new HeadGraphs(runtime, (head) => sessions.get(step[head] as string));
  const open = async (): Promise<void> => {
    await sessions.get(step.argmax);
  };
  return { graphs: heads, embed: undefined, open };
}
