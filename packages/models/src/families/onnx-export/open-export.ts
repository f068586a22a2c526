import type { AudioSource } from '../../audio/speech-input.js';
import type { GraphSessions } from '../../drivers/graph-sessions.js';
import { forcedTokensOf } from '../../folder/languages-schema.js';
import { EXACT, type OpenedPart } from '../../parts/model-part.js';
import type { OpenContext } from '../family.js';
import { ExportEncoder, type StatesEncoder } from './export-encoder.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';
import { ExportModel } from './export-model.js';
import { probeAbilities, probeCosts } from './export-probe.js';
import { encoderRoles, stepRoles } from './export-roles.js';
import { proveRebuilt } from './prove-rebuilt.js';
import { SoundEncoder } from './sound-encoder.js';
import { maxSamplesOf } from './sound-processor.js';

/** Opens an exported model: its graphs built anew, where that gives the same, or else as they are. */
export async function openExport(context: OpenContext<OnnxExportManifest>): Promise<readonly OpenedPart[]> {
  let untouched: ExportModel | undefined;
  const rebuilt = await context.rebuilt?.(async (parts) => {
    const other = parts.find(({ kind, variant = EXACT }) => kind === 'autoregressive' && variant === EXACT);
    untouched = await openUntouched(context);
    const { limits, vocabulary, sourceVocabulary = vocabulary } = context.manifest;
    const sources = { length: limits.sourceLength, vocabulary: sourceVocabulary };
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
  probe,
  signal,
}: OpenContext<OnnxExportManifest>): Promise<ExportModel> {
  const { graphs, vocabulary, limits, suppressed, cache, beginning, languages, dependentRows, audio } = manifest;
  const { runtime } = sessions;
  sessions.threads = threads ?? 1;
  // Exporters leave to the runtime what can be fused.
  sessions.optimization = 'all';
  const { begin, goOn } = stepRoles(manifest);
  const taken = begin.states === undefined ? undefined : graphs.decoder.inputs[begin.states].type;
  const encoder = graphs.encoder && openEncoder(graphs.encoder, manifest, sessions, taken);
  const graph = {
    runtime,
    session: (file: string) => sessions.get(file),
    begin,
    goOn,
    vocabularySize: vocabulary.size,
    suppressed,
    cache,
  };
  signal?.throwIfAborted();
  const trial = audio === undefined ? trialSource(manifest.sourceVocabulary ?? vocabulary) : trialSound(audio);
  const source = (await encoder?.encode([trial], signal))?.sources[0];
  signal?.throwIfAborted();
  const steps = { ...graph, ...(await probeAbilities(graph, source, dependentRows.length > 0)) };
  signal?.throwIfAborted();
  const costs = await probeCosts(steps, source, probe, signal);
  const forcedTokens = encoder && forcedTokensOf(beginning, languages);
  return new ExportModel({
    encoder,
    steps,
    vocabulary,
    beginning,
    forcedTokens,
    maxLength: limits.targetLength,
    costs,
  });
}

function openEncoder(
  graph: ExportGraph,
  { vocabulary, sourceVocabulary = vocabulary, limits, audio }: OnnxExportManifest,
  sessions: GraphSessions,
  statesType: string | undefined,
): StatesEncoder {
  const shared = {
    runtime: sessions.runtime,
    session: () => sessions.get(graph.file),
    roles: encoderRoles(graph),
    statesType,
  };
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

/** A few tokens, the end token last. */
function trialSource({ size, endTokenId }: OnnxExportManifest['vocabulary']): Int32Array {
  const tokens = [1, 2, 3].map((share) => Math.floor((share * size) / 5));
  return Int32Array.from(endTokenId === undefined ? tokens : [...tokens, endTokenId]);
}

/** The shortest sound that is read, at the loudness of speech. */
function trialSound({ minSamples }: NonNullable<OnnxExportManifest['audio']>): AudioSource {
  const values = Float32Array.from({ length: minSamples }, (_, at) => 0.1 * Math.sin(at / 5) * Math.cos(at / 37));
  return { values, dims: [minSamples] };
}
