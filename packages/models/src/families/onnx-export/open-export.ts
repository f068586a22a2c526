import type { GraphSessions } from '../../drivers/graph-sessions.js';
import { EXACT, type OpenedPart } from '../../parts/model-part.js';
import type { OpenContext } from '../family.js';
import { ExportEncoder } from './export-encoder.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';
import { ExportModel } from './export-model.js';
import { probeAbilities, probeCosts } from './export-probe.js';
import { encoderRoles, stepRoles } from './export-roles.js';
import { proveRebuilt } from './prove-rebuilt.js';

/** Opens an exported model: its graphs built anew, where that gives the same, or else as they are. */
export async function openExport(context: OpenContext<OnnxExportManifest>): Promise<readonly OpenedPart[]> {
  let untouched: ExportModel | undefined;
  const rebuilt = await context.rebuilt?.(async (parts) => {
    const other = parts.find(({ kind, variant = EXACT }) => kind === 'autoregressive' && variant === EXACT);
    untouched = await openUntouched(context);
    await proveRebuilt(other?.model as ExportModel, untouched, context.manifest.limits.sourceLength);
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
  const { graphs, vocabulary, limits, suppressed, cache, beginning, dependentRows } = manifest;
  const { runtime } = sessions;
  sessions.threads = threads ?? 1;
  // Exporters leave to the runtime what can be fused.
  sessions.optimization = 'all';
  const { begin, goOn } = stepRoles(manifest);
  const encoder = graphs.encoder && openEncoder(graphs.encoder, manifest, sessions);
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
  const source = (await encoder?.encode([trialSource(vocabulary)], signal))?.sources[0];
  signal?.throwIfAborted();
  const steps = { ...graph, ...(await probeAbilities(graph, source, dependentRows.length > 0)) };
  signal?.throwIfAborted();
  const costs = await probeCosts(steps, source, probe, signal);
  return new ExportModel({ encoder, steps, vocabulary, beginning, maxLength: limits.targetLength, costs });
}

function openEncoder(
  graph: ExportGraph,
  { vocabulary, limits }: OnnxExportManifest,
  sessions: GraphSessions,
): ExportEncoder {
  return new ExportEncoder({
    runtime: sessions.runtime,
    session: () => sessions.get(graph.file),
    roles: encoderRoles(graph),
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId ?? 0,
  });
}

/** A few tokens, the end token last. */
function trialSource({ size, endTokenId }: OnnxExportManifest['vocabulary']): Int32Array {
  const tokens = [1, 2, 3].map((share) => Math.floor((share * size) / 5));
  return Int32Array.from(endTokenId === undefined ? tokens : [...tokens, endTokenId]);
}
