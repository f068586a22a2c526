import { join } from 'node:path';
import { fileTrouble, readSmallFile } from '@foretoken/core/node';
import { replaceFile } from './cache.js';
import { verifiedState } from './kept-files.js';
import { type HubFile, isPlainPath } from './list-hub-files.js';

/** A file of a snapshot, and its state when it was digested. */
export interface KeptFile extends HubFile {
  readonly state: string;
}

/** What is known of a snapshot that is whole. */
export interface SnapshotRecord {
  readonly files: readonly KeptFile[];
  /** Whether it was made before graphs were asked in which files their weights lie: some of these may be missing. */
  readonly isOld: boolean;
}

/** From this version on graphs were asked. */
const VERSION = 2;
/** What a whole snapshot holds; written once all of it is there. */
const RECORD = '.complete';
const RECORD_BYTES = 16 * 1024 ** 2;

/** The record of a snapshot; undefined where it is not whole, or was kept without digests. */
export async function readRecord(folder: string): Promise<SnapshotRecord | undefined> {
  try {
    const text = await readSmallFile({ folder, file: RECORD }, RECORD_BYTES, { links: false });
    const content: unknown = JSON.parse(text ?? 'null');
    const { files, version } = Object(content) as { readonly files?: unknown; readonly version?: unknown };
    if (!Array.isArray(files) || files.length === 0 || !files.every(isKeptFile)) return undefined;
    return { files, isOld: version !== VERSION };
  } catch (error) {
    if (error instanceof SyntaxError || fileTrouble(error) !== undefined) return undefined;
    throw error;
  }
}

function isKeptFile(value: unknown): value is KeptFile {
  const { path, bytes, digest, state } = Object(value) as Partial<Record<keyof KeptFile, unknown>>;
  const { algorithm, hex } = Object(digest) as Partial<Record<keyof HubFile['digest'], unknown>>;
  return (
    typeof path === 'string' &&
    isPlainPath(path) &&
    typeof bytes === 'number' &&
    typeof state === 'string' &&
    (algorithm === 'sha256' || algorithm === 'git') &&
    typeof hex === 'string'
  );
}

/** Writes down that a snapshot is whole. */
export async function writeRecord(folder: string, { files, isOld }: SnapshotRecord): Promise<void> {
  await replaceFile(join(folder, RECORD), JSON.stringify({ version: isOld ? 1 : VERSION, files }));
}

/** The files of a snapshot that are not what they were when they were downloaded. What was digested anew is recorded. */
export async function changedFiles(
  folder: string,
  { files, isOld }: SnapshotRecord,
  signal: AbortSignal | undefined,
): Promise<readonly HubFile[]> {
  const changed: HubFile[] = [];
  const states: KeptFile[] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    const state = await verifiedState(folder, file, file.state, signal);
    if (state === undefined) changed.push(file);
    else states.push({ ...file, state });
  }
  const isNew = states.some(({ state }, index) => state !== files[index].state);
  if (changed.length === 0 && isNew) {
    // Where nothing can be written they are digested the next time too.
    await writeRecord(folder, { files: states, isOld }).catch((error) => {
      if (fileTrouble(error) === undefined) throw error;
    });
  }
  return changed;
}
