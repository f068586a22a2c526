import type { GraphDescription } from '../onnx/graph-description.js';
import { assertPlainFileName, besideFile } from './file-names.js';
import { MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { invalidFolder, quote, unsupportedModel } from './refusal.js';

export const EXTERNAL_FIELD = 'external data location';

/**
 * Names of the files that a graph keeps weights in, by where they lie in the folder. What a manifest lists has been verified, and where
 * there is one nothing else may be read. Throws `INVALID_MODEL_FOLDER` for a name that is not plain or not listed, and
 * `UNSUPPORTED_MODEL` where other tensors than weights of a graph's main part are kept in a file: ONNX Runtime reads those from disk,
 * whatever it is given.
 */
export function externalFiles(
  { externalLocations, nestedLocations }: GraphDescription,
  folder: string,
  file: string,
  manifest?: ModelManifest,
): string[] {
  const files = externalLocations.map((location) => {
    const details = { folder, file, field: EXTERNAL_FIELD, received: location };
    assertPlainFileName(location, details);
    // The runtime looks beside the graph.
    const name = besideFile(file, location);
    if (manifest === undefined || Object.hasOwn(manifest.files, name)) return name;
    throw invalidFolder(
      `${file}: the graph reads its weights from ${quote(name)}, which ${MANIFEST_FILE} does not list. Import the model again.`,
      { ...details, required: 'a file listed in foretoken.json' },
    );
  });
  const [nested] = nestedLocations;
  if (nested === undefined) return files;
  throw unsupportedModel(
    `${file}: a tensor of a function, branch or attribute is kept in ${quote(nested)}, which is not supported. Export the graph with it inside.`,
    { folder, file, field: EXTERNAL_FIELD, received: nested },
  );
}
