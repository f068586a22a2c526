import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';
import { fieldsOf, jsonFields } from './json-fields.js';
import type { HubFile } from './list-hub-files.js';

/** What onnxruntime-genai reads of a graph beside it. */
export const GENAI = 'genai_config.json';

/**
 * The graph of a decoder that the text of a config names, whatever its name is. None where the config has other parts too: loading such
 * a folder says what is wrong with it, and no graph is needed for that. `undefined` where it names nothing, so that usual names count.
 *
 * Throws `INVALID_MODEL_FOLDER` for a graph that the repository does not have.
 */
export function genaiGraphs(
  text: string,
  repository: string,
  files: readonly HubFile[],
): readonly string[] | undefined {
  const model = fieldsOf(jsonFields(text).model);
  const { filename } = fieldsOf(model.decoder);
  if (typeof filename !== 'string') return undefined;
  if (Object.entries(model).some(([part, value]) => part !== 'decoder' && 'filename' in fieldsOf(value))) return [];
  if (files.some(({ path }) => path === filename)) return [filename];
  const required = 'a file of the repository';
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${GENAI} of ${repository} on the hub names ${show(filename)} as its graph, but ${required} is required. Choose another revision, or tell its publisher.`,
    { repository, file: GENAI, field: 'model.decoder.filename', received: filename, required },
  );
}
