import { hasMethods, text as readText, wrongValue } from '@foretoken/core/kit';
import type { GraphContent } from '@foretoken/core/runtime';
import { EXTERNAL_FIELD, externalFiles } from '../folder/external-data.js';
import { besideFile } from '../folder/file-names.js';
import type { ModelFolder } from '../folder/model-folder.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import type { GraphDescription } from './graph-description.js';
import { describeGraphFile, isOrtFile } from './graph-file.js';

/** A graph of a folder, verified, and what it says of itself. */
export interface CheckedGraph {
  readonly bytes: Uint8Array;
  readonly description: GraphDescription;
}

/**
 * Reads a graph whose external weights all lie in listed files. Throws `INVALID_MODEL_FOLDER`, and `UNSUPPORTED_MODEL` where
 * other tensors than weights of its main part are external: ONNX Runtime reads those from disk, whatever it is given.
 */
export async function readCheckedGraph(folder: ModelFolder, file: string): Promise<CheckedGraph> {
  const bytes = await folder.readBytes(file);
  const description = await describeGraphFile(bytes, file);
  externalFiles(description, folder.path, file, folder.manifest);
  return { bytes, description };
}
/**
 * Reads a graph and the files its weights are in, all verified again: what a session is made of. `readWeights` may share what
 * several graphs have in common. Throws
 * `INVALID_MODEL_FOLDER` where the folder was changed or replaced since it was opened, and as `readCheckedGraph` does.
 */
export async function readGraph(
  folder: ModelFolder,
  file: string,
  readWeights: (name: string) => Promise<Uint8Array> = (name) => folder.readBytes(name),
): Promise<GraphContent> {
  if (!hasMethods(folder, 'readBytes', 'filePath')) throw wrongValue('folder', folder, 'an open model folder');
  const { bytes, description } = await readCheckedGraph(folder, readText('file', file));
  const externalData = new Map<string, Uint8Array>();
  for (const location of description.externalLocations) {
    const weights = await readWeights(besideFile(file, location));
    const required = description.externalSizes?.get(location) ?? 0;
    if (weights.length < required) throw cutOff(folder, file, location, weights.length, required);
    externalData.set(location, weights);
  }
  return { path: folder.filePath(file), graph: bytes, format: isOrtFile(file) ? 'ORT' : 'ONNX', externalData };
}

function cutOff(folder: ModelFolder, file: string, location: string, received: number, required: number): Error {
  return invalidFolder(
    `${file}: the graph reads ${required} bytes of ${quote(location)}, which has ${received}. It was cut off, or belongs to another graph.`,
    { folder: folder.path, file, field: EXTERNAL_FIELD, received, required },
  );
}
