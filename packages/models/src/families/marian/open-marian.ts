import type { GraphSessions } from '../../drivers/graph-sessions.js';
import type { MeasuredCosts } from '../../drivers/measured-costs.js';
import { ProbeBudget, WidthCosts } from '../../drivers/probe.js';
import { TokenEncoder } from '../../drivers/token-encoder.js';
import type { OpenedPart } from '../../parts/model-part.js';
import type { OpenContext } from '../family.js';
import type { MarianManifest } from './marian-manifest.js';
import { MarianModel } from './marian-model.js';
import { PROBE_MILLISECONDS, probeBatches, probeThreads, probeWidths, THREADS_MILLISECONDS } from './marian-probe.js';
import type { MarianStepShape } from './marian-step-driver.js';
import { openStudents } from './open-students.js';

/** A folder's teacher and students, opened when they are used; measures what this machine does best with the teacher. */
export async function openMarian({
  folder,
  manifest,
  sessions,
  threads,
  cores,
  probe,
  signal,
}: OpenContext<MarianManifest>): Promise<readonly OpenedPart[]> {
  const { runtime } = sessions;
  const { architecture, graphs, limits, vocabulary } = manifest;
  const shape = { width: architecture.width, layers: architecture.decoderLayers };
  const forThreads = new ProbeBudget(THREADS_MILLISECONDS);
  if (threads !== undefined) sessions.threads = threads;
  else if (probe) {
    await sessions.useThreads(await probeThreads(sessions, graphs.step.argmax, shape, cores, forThreads, signal));
  }
  signal?.throwIfAborted();
  const encoder = new TokenEncoder(runtime, () => sessions.get(graphs.encoder), {
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId,
    width: architecture.width,
    layers: architecture.decoderLayers,
  });
  signal?.throwIfAborted();
  const forWidths = new ProbeBudget(PROBE_MILLISECONDS - forThreads.spent);
  const { widths, costs } = probe
    ? await probeSteps(sessions, graphs.step.argmax, shape, forWidths, signal)
    : UNMEASURED;
  const kinds = ['argmax', 'topK', 'logProbs', 'logits'] as const;
  const outputs = kinds.filter((kind) => graphs.step[kind] !== undefined);
  const autoregressive = new MarianModel({
    runtime,
    encoder,
    // `outputs` lists what has a graph, and the forest refuses any other kind first.
    sessions: (head) => sessions.get(graphs.step[head] as string),
    outputs,
    states: graphs.step.topKWithStates === undefined ? [] : ['topK'],
    maxCandidates: manifest.step?.maxCandidates ?? 1,
    vocabulary,
    startTokenId: vocabulary.startTokenId,
    maxLength: limits.targetLength,
    shape,
    paddedWidth: (width) => widths.padded(width),
    costs,
  });
  signal?.throwIfAborted();
  const open = async (): Promise<void> => {
    await sessions.get(graphs.encoder);
    signal?.throwIfAborted();
    await sessions.get(graphs.step.argmax);
  };
  const students = await openStudents(folder, manifest, sessions, encoder);
  return [{ kind: 'autoregressive', model: autoregressive, open }, ...students];
}

interface StepCosts {
  readonly widths: WidthCosts;
  readonly costs?: MeasuredCosts | undefined;
}

const UNMEASURED: StepCosts = { widths: new WidthCosts([]) };

async function probeSteps(
  sessions: GraphSessions,
  file: string,
  shape: MarianStepShape,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<StepCosts> {
  const step = await sessions.get(file);
  signal?.throwIfAborted();
  const widths = await probeWidths(sessions, step, shape, budget, signal);
  return { widths, costs: await probeBatches(sessions, step, shape, widths, budget, signal) };
}
