import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { checkManifest } from './check-manifest.js';
import {
  type FileRecord,
  MANIFEST_BYTES,
  MANIFEST_FILE,
  type ManifestContent,
  type ModelManifest,
} from './manifest.js';
import { errorCode, invalidFolder, reason } from './refusal.js';
import { sha256 } from './safe-file.js';

export interface WriteFolderOptions {
  /** Replace an existing model folder (default: refuse). */
  readonly replace?: boolean;
}

/**
 * Writes a model folder whole or not at all, and returns its manifest with sizes and digests filled in.
 *
 * Everything goes to a temporary sibling first, is flushed to disk and then renamed; on failure the sibling is removed
 * and an existing target stays as it was. Throws `INVALID_ARGUMENT` (target in the way), `INVALID_MODEL_FOLDER` (the
 * manifest is not valid, or the disk refuses), `UNSUPPORTED_MODEL`.
 */
export async function writeModelFolder(
  target: string,
  manifestWithoutFiles: ManifestContent,
  files: ReadonlyMap<string, Uint8Array | string>,
  options: WriteFolderOptions = {},
): Promise<ModelManifest> {
  const path = resolve(target);
  const contents = new Map(
    [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => [name, toBytes(content)]),
  );
  const manifest = describe(path, manifestWithoutFiles, contents);
  const text = toBytes(`${JSON.stringify(manifest, null, 2)}\n`);
  if (text.length > MANIFEST_BYTES) {
    throw invalidFolder(`${MANIFEST_FILE} would have ${text.length} bytes; at most ${MANIFEST_BYTES} are allowed.`, {
      folder: path,
      file: MANIFEST_FILE,
      received: text.length,
      required: MANIFEST_BYTES,
    });
  }
  const existing = await inspectTarget(path, options.replace ?? false);
  const temporary = sibling(path, 'new');
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(temporary);
    for (const [name, content] of [...contents, [MANIFEST_FILE, text] as const]) {
      await writeFlushed(temporary, name, content);
    }
    await flush(temporary);
    await moveIntoPlace(temporary, path, existing);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw invalidFolder(
      `The model folder ${path} could not be written: ${reason(error)}. Nothing was changed; check space and permissions.`,
      { folder: path, received: errorCode(error) },
      error,
    );
  }
  return manifest;
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

function describe(path: string, manifest: ManifestContent, contents: ReadonlyMap<string, Uint8Array>): ModelManifest {
  if (contents.has(MANIFEST_FILE)) {
    throw new ForetokenError('INVALID_ARGUMENT', `files must not hold ${MANIFEST_FILE}, which is written for you.`, {
      option: 'files',
      received: MANIFEST_FILE,
    });
  }
  const records = [...contents].map(([name, bytes]): [string, FileRecord] => [
    name,
    { bytes: bytes.length, sha256: sha256(bytes) },
  ]);
  // As it will be read back: without what JSON cannot say.
  return checkManifest(JSON.parse(JSON.stringify({ ...manifest, files: Object.fromEntries(records) })), path);
}

type Existing = 'nothing' | 'empty folder' | 'model folder';

async function inspectTarget(path: string, replace: boolean): Promise<Existing> {
  const refuse = (why: string, remedy: string): never => {
    throw new ForetokenError('INVALID_ARGUMENT', `${path} ${why}. ${remedy}`, { option: 'target', received: path });
  };
  let names: string[];
  try {
    if (!(await lstat(path)).isDirectory()) refuse('exists and is not a folder', 'Choose another target.');
    names = await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'nothing';
    if (errorCode(error) === undefined || ForetokenError.isInstance(error)) throw error;
    return refuse(`cannot be used (${errorCode(error)})`, 'Choose another target.');
  }
  if (names.length === 0) return 'empty folder';
  // A mistyped target must not cost a folder of something else.
  if (!names.includes(MANIFEST_FILE)) refuse('holds something that is not a model', 'Choose another target.');
  if (!replace) refuse('already holds a model', 'Choose another target, or allow it to be replaced.');
  return 'model folder';
}

function sibling(path: string, purpose: 'new' | 'old'): string {
  return join(dirname(path), `.${basename(path)}.${purpose}-${randomUUID()}`);
}

async function moveIntoPlace(temporary: string, path: string, existing: Existing): Promise<void> {
  // Elsewhere a rename replaces an empty folder in one step.
  if (existing === 'empty folder' && process.platform === 'win32') await rmdir(path);
  if (existing !== 'model folder') {
    await rename(temporary, path);
  } else {
    const old = sibling(path, 'old');
    await rename(path, old);
    try {
      await rename(temporary, path);
    } catch (error) {
      await rename(old, path);
      throw error;
    }
    // The new folder is in place; what is left of the old one is waste, not a failure.
    await rm(old, { recursive: true, force: true }).catch(() => undefined);
  }
  await flush(dirname(path)).catch(() => undefined);
}

async function writeFlushed(folder: string, name: string, content: Uint8Array): Promise<void> {
  const path = join(folder, name);
  if (name.includes('/')) await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  if (name.includes('/')) await flush(dirname(path));
}

/** Flushes a folder's entries, where the system can (Windows cannot open folders). */
async function flush(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
