import { ProbeBudget, WidthCosts } from '../../drivers/probe.js';
import { TokenEncoder } from '../../drivers/token-encoder.js';
import type { OpenContext, OpenedParts } from '../family.js';
import { loadStudents } from './load-students.js';
import type { MarianManifest } from './marian-manifest.js';
import { MarianModel } from './marian-model.js';
import { PROBE_MILLISECONDS, probeBatches, probeThreads, probeWidths, THREADS_MILLISECONDS } from './marian-probe.js';

/** Opens a folder's teacher and students, and measures what this machine does best with the teacher. */
export async function openMarian({
  folder,
  manifest,
  sessions,
  threads,
  cores,
  probe,
  signal,
}: OpenContext<MarianManifest>): Promise<OpenedParts> {
  const { runtime } = sessions;
  const { architecture, graphs, limits, vocabulary } = manifest;
  const shape = { width: architecture.width, layers: architecture.decoderLayers };
  const forThreads = new ProbeBudget(THREADS_MILLISECONDS);
  if (threads !== undefined) sessions.threads = threads;
  else if (probe) {
    await sessions.useThreads(await probeThreads(sessions, graphs.step.argmax, shape, cores, forThreads, signal));
  }
  signal?.throwIfAborted();
  const encoder = new TokenEncoder(runtime, await sessions.get(graphs.encoder), {
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId,
    width: architecture.width,
    layers: architecture.decoderLayers,
  });
  signal?.throwIfAborted();
  const step = await sessions.get(graphs.step.argmax);
  signal?.throwIfAborted();
  const forWidths = new ProbeBudget(PROBE_MILLISECONDS - forThreads.spent);
  const widths = probe ? await probeWidths(sessions, step, shape, forWidths, signal) : new WidthCosts([]);
  const costs = await probeBatches(sessions, step, shape, widths, forWidths, signal);
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
  const students = await loadStudents(folder, manifest, sessions, encoder, signal);
  return { autoregressive, ...students };
}
