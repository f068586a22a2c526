import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isObject } from '../folder/json.js';
import { readRegularFile } from './safe-file.js';

const READING = { links: true, max: 64 * 1024 } as const;

/** Where it is kept that graphs did not give the same, beside the place where they would lie. */
export function failedProofAt(path: string): string {
  return `${path}.failed.json`;
}

/** Why graphs that an earlier load built for `path` did not give the same; `undefined` where none failed, or that cannot be read. */
export async function failedProof(path: string): Promise<string | undefined> {
  const file = failedProofAt(path);
  try {
    const bytes = await readRegularFile({ folder: dirname(file), file: basename(file) }, READING);
    const content: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(content) && typeof content.reason === 'string' ? content.reason : undefined;
  } catch {
    // Then they are built and proved again, which only takes time.
    return undefined;
  }
}

/** Keeps why graphs did not give the same, so that no other load builds them. Where it cannot be written, the next load tries again. */
export async function keepFailedProof(path: string, reason: string): Promise<void> {
  const file = failedProofAt(path);
  const staged = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(staged, JSON.stringify({ reason }));
    await rename(staged, file);
  } catch {
    await rm(staged, { force: true }).catch(() => {});
  }
}
