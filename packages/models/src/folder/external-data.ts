import { assertPlainFileName, besideFile } from './file-names.js';
import { MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { invalidFolder, quote } from './refusal.js';

/**
 * Throws `INVALID_MODEL_FOLDER` unless every place a graph names for its weights is a plain, listed file: such a file has
 * been verified, and nothing else may be read.
 */
export function checkExternalData(
  locations: readonly string[],
  manifest: ModelManifest,
  folder: string,
  graph: string,
): void {
  for (const location of locations) {
    const details = { folder, file: graph, field: 'external data location', received: location };
    assertPlainFileName(location, details);
    // The runtime looks beside the graph.
    const name = besideFile(graph, location);
    if (!Object.hasOwn(manifest.files, name)) {
      throw invalidFolder(
        `${graph}: the graph reads its weights from ${quote(name)}, which ${MANIFEST_FILE} does not list. Import the model again.`,
        { ...details, required: 'a file listed in foretoken.json' },
      );
    }
  }
}
