import type { HeadGraphFiles } from '../folder/manifest.js';
import { loadCode } from '../load-code.js';
import type { GraphSessions } from './graph-sessions.js';
import { type BodyStepFiles, HeadGraphs, type OpenedStep } from './step-graphs.js';

/** The step of a folder, however it is divided into graphs; `width` is that of its states. Throws `RUNTIME_FAILURE`. */
export async function openStep(
  step: HeadGraphFiles | BodyStepFiles,
  width: number,
  sessions: GraphSessions,
): Promise<OpenedStep> {
  if ('body' in step) {
    const { openBodyStep } = await loadCode('steps of two graphs', () => import('./body-step.js'));
    return openBodyStep(step, width, sessions);
  }
  // The model says which outputs have a graph, and the forest refuses any other kind first; no file of a folder has an empty name.
  const graphs = new HeadGraphs(sessions.runtime, (head) => sessions.get(step[head] ?? ''));
  const open = async (): Promise<void> => {
    await sessions.get(step.argmax);
  };
  return { graphs, embed: undefined, open };
}
