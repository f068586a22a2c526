import type { Feeds } from '@foretoken/core/runtime';
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
import { type OpenedStep, openStep } from './open-step.js';
import { openStudents } from './open-students.js';
import { stepOutputs } from './step-graphs.js';

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
  // What is divided is so large that opening it again for each thread count takes longer than comparing them may.
  else if (probe && 'argmax' in graphs.step) {
    await sessions.useThreads(await probeThreads(sessions, graphs.step.argmax, shape, cores, forThreads, signal));
  }
  signal?.throwIfAborted();
  const step = openStep(manifest, sessions);
  const limitsOfSources = {
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId,
    width: architecture.width,
    layers: architecture.decoderLayers,
  };
  const encoder = new TokenEncoder(runtime, () => sessions.get(graphs.encoder), limitsOfSources, step.embed);
  signal?.throwIfAborted();
  const forWidths = new ProbeBudget(PROBE_MILLISECONDS - forThreads.spent);
  const { widths, costs } = probe ? await probeSteps(sessions, step, shape, forWidths, signal) : UNMEASURED;
  const offered = stepOutputs(graphs.step);
  const autoregressive = new MarianModel({
    runtime,
    encoder,
    graphs: step.graphs,
    outputs: offered.filter((head) => head !== 'topKWithStates'),
    states: offered.includes('topKWithStates') ? ['topK'] : [],
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
    await step.open(signal);
    signal?.throwIfAborted();
    await sessions.get(graphs.encoder);
  };
  const students = await openStudents({ folder, manifest, sessions, encoder });
  return [{ kind: 'autoregressive', model: autoregressive, open }, ...students];
}

interface StepCosts {
  readonly widths: WidthCosts;
  readonly costs?: MeasuredCosts | undefined;
}

const UNMEASURED: StepCosts = { widths: new WidthCosts([]) };

async function probeSteps(
  sessions: GraphSessions,
  { graphs, open }: OpenedStep,
  shape: MarianStepShape,
  budget: ProbeBudget,
  signal: AbortSignal | undefined,
): Promise<StepCosts> {
  await open(signal);
  const step = { run: (feeds: Feeds) => graphs.run(feeds, { kind: 'argmax' }, true) };
  signal?.throwIfAborted();
  const widths = await probeWidths(sessions, step, shape, budget, signal);
  return { widths, costs: await probeBatches(sessions, step, shape, widths, budget, signal) };
}
