import { signal as readSignal, text, Yielder } from '@foretoken/core/kit';
import { type FileLocation, filePath, type ImportNote, type ModelManifest } from '@foretoken/models/internal';
import { buildContent } from './architectures/build-content.js';
import { tokenizerOf } from './architectures/known-architectures.js';
import { locateWeights } from './locate-weights.js';
import { nameOf } from './name-of.js';
import { openWeights } from './readers/open-weights.js';

/** What weights are, and what importing them would make of them. */
export interface WeightsDescription {
  /** Folder or file that was looked at. */
  readonly path: string;
  /** What the weights come as, such as `safetensors`. */
  readonly format: string;
  /** Element types of the tensors, such as `Q4_1`. */
  readonly elementTypes: readonly string[];
  /** Bytes of all tensors, as they are stored. */
  readonly bytes: number;
  /** The manifest that importing would write, its list of files left empty. */
  readonly manifest: ModelManifest;
  /** What the folder says about decoding that the model would not do by itself. */
  readonly notes: readonly ImportNote[];
}

/**
 * Says what weights are that `importModel` would take, without reading more than their headers: throws what importing would throw
 * for all but the values of the weights. `quantisation` chooses as the option of `importModel` does.
 */
export async function inspectWeights(
  weights: FileLocation,
  signal?: AbortSignal,
  quantisation?: string,
): Promise<WeightsDescription> {
  const location = filePath('weights', weights);
  if (signal !== undefined) readSignal('signal', signal).throwIfAborted();
  if (quantisation !== undefined) text('quantisation', quantisation);
  const path = await locateWeights(location, { signal, quantisation });
  const folder = await openWeights(path, signal, tokenizerOf);
  const notes: ImportNote[] = [];
  const options = {
    name: nameOf(location),
    weights: 'float16',
    onNote: (note: ImportNote) => notes.push(note),
  } as const;
  const { manifest } = await buildContent(folder, options, new Yielder(signal));
  let bytes = 0;
  for (const tensor of folder.tensors.values()) bytes += tensor.bytes;
  return {
    path,
    format: folder.format,
    elementTypes: folder.elementTypes,
    bytes,
    manifest: { ...manifest, files: {} },
    notes,
  };
}
