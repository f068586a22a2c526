import {
  anything,
  callback,
  checkOptions,
  hasMethods,
  type OptionTable,
  signal,
  wrongValue,
  Yielder,
} from '@foretoken/core/kit';
import { type ModelFolder, writeModelFolder } from '@foretoken/models/internal';
import { architectureOf } from '../../architectures/known-architectures.js';
import { nameOf } from '../../name-of.js';
import { openExportWeights } from './export-weights.js';

/** Most candidates of a node that a manifest may name. */
const MAX_CANDIDATES = 1024;

/** What rebuilding is told. */
export interface RebuildOptions {
  /** Proves that the folder at a path gives what the export gives; what it throws leaves nothing behind. */
  readonly prove: (path: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionTable<RebuildOptions> = { prove: callback(anything<Promise<void>>), signal };

/**
 * Builds our own graphs from the weights inside a folder of an exporter, as a model folder at `target`, in fp32. What `loadModel` takes
 * as `improveGraph`.
 *
 * Throws `INVALID_ARGUMENT`, `UNSUPPORTED_MODEL` where the weights cannot be taken out of the graphs, or the architecture is not known;
 * `INVALID_MODEL_FOLDER`, what `prove` throws, the signal's reason. Then nothing is at the target.
 */
export async function rebuildExport(folder: ModelFolder, target: string, options: RebuildOptions): Promise<void> {
  const { prove, signal } = checkOptions('rebuildExport', options, OPTIONS, ['prove']);
  if (!hasMethods(folder, 'readText')) throw wrongValue('folder', folder, 'an opened model folder');
  const pace = new Yielder(signal);
  const weights = await openExportWeights(folder);
  const named = { name: nameOf(folder.path), weights: 'float32', signal } as const;
  const { manifest, files } = await architectureOf(weights).build(weights, named, pace);
  // Where the network itself has no limit, that of the export holds.
  const limits = {
    sourceLength: Math.min(manifest.limits.sourceLength, folder.manifest.limits.sourceLength),
    targetLength: Math.min(manifest.limits.targetLength, folder.manifest.limits.targetLength),
  };
  // Exported graphs give all logits, so any number of candidates.
  const { step } = manifest as { readonly step?: { readonly maxCandidates: number } | undefined };
  const maxCandidates = Math.min(MAX_CANDIDATES, manifest.vocabulary.size);
  const content = { ...manifest, limits, step: step && { ...step, maxCandidates } };
  await writeModelFolder(target, content, files, { replace: true, signal, prove });
}
