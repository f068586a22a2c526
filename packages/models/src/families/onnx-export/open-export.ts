import type { AudioSource } from '../../audio/speech-input.js';
import type { GraphSessions } from '../../drivers/graph-sessions.js';
import { forcedTokensOf } from '../../folder/languages-schema.js';
import { EXACT, type OpenedPart } from '../../parts/model-part.js';
import type { OpenContext } from '../family.js';
import { type TakenStates, takenStates } from './encoder-states.js';
import { ExportEncoder, type SourceStates, type StatesEncoder } from './export-encoder.js';
import type { ExportGraph, ManifestSamples, OnnxExportManifest } from './export-manifest.js';
import { ExportModel } from './export-model.js';
import { probeAbilities, probeCosts } from './export-probe.js';
import { encoderRoles } from './export-roles.js';
import { openedGraph } from './kernel-refusal.js';
import { assertPositions } from './position-probe.js';
import { proveRebuilt } from './prove-rebuilt.js';
import { SoundEncoder } from './sound-encoder.js';
import { maxSamplesOf } from './sound-processor.js';
import { spectrumStates, triedSpectrum } from './spectrum-states.js';
import { stepRoles } from './step-roles.js';

/** Opens an exported model: its graphs built anew, where that gives the same, or else as they are. */
export async function openExport(context: OpenContext<OnnxExportManifest>): Promise<readonly OpenedPart[]> {
  let untouched: ExportModel | undefined;
  const rebuilt = await context.rebuilt?.(async (parts) => {
    const other = parts.find(({ kind, variant = EXACT }) => kind === 'autoregressive' && variant === EXACT);
    untouched = await openUntouched(context);
    const { limits, vocabulary, sourceVocabulary = vocabulary, spectrum } = context.manifest;
    const sources = spectrum ?? { length: limits.sourceLength, vocabulary: sourceVocabulary };
    await proveRebuilt(other?.model as ExportModel, untouched, sources);
  });
  if (rebuilt !== undefined) {
    // They have proved the others, and are of no more use.
    await context.sessions.close();
    return rebuilt.filter(({ kind }) => kind === 'autoregressive');
  }
  return [{ kind: 'autoregressive', model: untouched ?? (await openUntouched(context)) }];
}

/** Opens the graphs as they are, and tries what they can do. */
async function openUntouched({
  manifest,
  sessions,
  threads,
  cores,
  probe,
  signal,
}: OpenContext<OnnxExportManifest>): Promise<ExportModel> {
  const { graphs, vocabulary, limits, suppressed, suppressedFirst, cache, beginning, languages, dependentRows } =
    manifest;
  const { spectrum, speech } = manifest;
  const { runtime } = sessions;
  // A spectrum is hundreds of positions at once, which all processors share well.
  sessions.threads = threads ?? (spectrum === undefined ? 1 : cores);
  // Exporters leave to the runtime what can be fused.
  sessions.optimization = 'all';
  const { begin, goOn } = stepRoles(manifest);
  const { decoder, decoderWithPast = decoder } = graphs;
  const taken = takenStates([
    [begin, decoder],
    [goOn, decoderWithPast],
  ]);
  const encoder = graphs.encoder && openEncoder(graphs.encoder, manifest, sessions, taken);
  const graph = {
    runtime,
    session: (file: string) => openedGraph(file, () => sessions.get(file)),
    begin,
    goOn,
    vocabularySize: vocabulary.size,
    suppressed,
    suppressedFirst,
    cache,
  };
  signal?.throwIfAborted();
  const source = encoder && (await triedSource(encoder, manifest, signal));
  signal?.throwIfAborted();
  const abilities = await probeAbilities(graph, source, dependentRows.length > 0, vocabulary.padTokenId);
  const steps = { ...graph, ...abilities };
  signal?.throwIfAborted();
  if (manifest.untoldPositions === true) await assertPositions(steps, source, limits.targetLength, signal);
  signal?.throwIfAborted();
  const costs = await probeCosts(steps, source, limits.targetLength, probe, signal);
  const forcedTokens = encoder && forcedTokensOf(beginning, languages);
  return new ExportModel({
    encoder,
    steps,
    vocabulary,
    beginning,
    speech,
    forcedTokens,
    maxLength: limits.targetLength,
    costs,
  });
}

function openEncoder(
  graph: ExportGraph,
  { vocabulary, sourceVocabulary = vocabulary, limits, audio, spectrum }: OnnxExportManifest,
  sessions: GraphSessions,
  taken: TakenStates,
): StatesEncoder {
  const shared = {
    runtime: sessions.runtime,
    session: () => openedGraph(graph.file, () => sessions.get(graph.file)),
    roles: encoderRoles(graph),
    taken,
  };
  if (spectrum !== undefined) return spectrumStates({ ...shared, audio: spectrum });
  if (audio !== undefined) {
    const { minSamples } = audio;
    return new SoundEncoder({ ...shared, minSamples, maxSamples: maxSamplesOf(audio, limits.sourceLength) });
  }
  return new ExportEncoder({
    ...shared,
    sourceLength: limits.sourceLength,
    vocabularySize: sourceVocabulary.size,
    padTokenId: sourceVocabulary.padTokenId ?? sourceVocabulary.endTokenId ?? 0,
  });
}

/** What a source becomes by which the decoder is tried. */
async function triedSource(
  encoder: StatesEncoder,
  { audio, spectrum, graphs, vocabulary, sourceVocabulary = vocabulary }: OnnxExportManifest,
  signal: AbortSignal | undefined,
): Promise<SourceStates> {
  if (spectrum !== undefined) return triedSpectrum(encoder, graphs.encoder?.file ?? '', spectrum, signal);
  const trial = audio === undefined ? trialSource(sourceVocabulary) : trialSound(audio);
  return (await encoder.encode([trial], signal)).sources[0];
}

/** A few tokens, the end token last. */
function trialSource({ size, endTokenId }: OnnxExportManifest['vocabulary']): Int32Array {
  const tokens = [1, 2, 3].map((share) => Math.floor((share * size) / 5));
  return Int32Array.from(endTokenId === undefined ? tokens : [...tokens, endTokenId]);
}

/** The shortest sound that is read, at the loudness of speech. */
function trialSound({ minSamples }: ManifestSamples): AudioSource {
  const values = Float32Array.from({ length: minSamples }, (_, at) => 0.1 * Math.sin(at / 5) * Math.cos(at / 37));
  return { values, dims: [minSamples] };
}
