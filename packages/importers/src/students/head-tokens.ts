import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';

/** Token ids of the rows of a student's head, different ones of the vocabulary. Throws `INVALID_MODEL_FOLDER`. */
export async function readHeadTokenIds(
  folder: WeightsFolder,
  vocabularySize: number,
  pace: Yielder,
): Promise<number[]> {
  const ids = await folder.integers('head.token_ids', pace);
  const refuse = (received: unknown, what: string): never => {
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${folder.path}: head.token_ids ${what}.`, {
      folder: folder.path,
      field: 'head.token_ids',
      received,
      size: vocabularySize,
    });
  };
  if (ids.length === 0) refuse(0, 'is empty; at least one token is required');
  const seen = new Set<number>();
  for (const id of ids) {
    if (id < 0 || id >= vocabularySize) refuse(id, `holds ${id}, outside the vocabulary of ${vocabularySize}`);
    if (seen.has(id)) refuse(id, `holds ${id} twice; each token may have one row`);
    seen.add(id);
  }
  return ids;
}
