import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';
import { fieldsOf, jsonFields } from './json-fields.js';
import type { HubFile } from './list-hub-files.js';

/** Far above the index of any model: some 100 bytes for each tensor. */
export const INDEX_BYTES: number = 16 * 1024 ** 2;

/** The files that an index says tensors lie in: publishers name them as they like. Throws `INVALID_MODEL_FOLDER`. */
export function shardNames(text: string, index: string, repository: string, files: readonly HubFile[]): string[] {
  const names = new Set(Object.values(fieldsOf(jsonFields(text).weight_map)));
  if (names.size === 0)
    throw refusedIndex(index, repository, show(text.slice(0, 100)), 'names of files in a JSON object weight_map');
  const listed = new Set(files.map(({ path }) => path));
  return [...names].map((name) => {
    if (typeof name === 'string' && listed.has(name)) return name;
    throw refusedIndex(
      index,
      repository,
      show(name),
      'files of the repository',
      typeof name === 'string' ? name : undefined,
    );
  });
}

/** The error for an index that is none. */
export function refusedIndex(
  index: string,
  repository: string,
  received: string,
  required: string,
  file?: string,
): ForetokenError {
  return new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${index} of ${repository} on the hub has ${received}, but ${required} are required. Choose another revision, or tell its publisher.`,
    { repository, file: index, field: 'weight_map', received: file ?? received, required },
  );
}
