import { createHash } from 'node:crypto';
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { readRegularFile } from '../node/safe-file.js';
import { isPlainFileName } from './file-names.js';
import { isObject } from './json.js';
import { type FileRecord, MANIFEST_BYTES, MANIFEST_FILE, type ModelManifest } from './manifest.js';

/**
 * A folder in a model folder with the files of one model. Its name says what is in it, so files of two models never have the
 * same name, and a model that is loaded already never meets those of another.
 */
const GENERATION = /^files-[0-9a-f]{16}(?:-\d+)?$/;

/** A name that nothing in `folder` has, for the folder that files of these digests go to. */
export async function freeGeneration(folder: string, files: Readonly<Record<string, FileRecord>>): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, { sha256 }] of Object.entries(files)) hash.update(`${name} ${sha256}\n`);
  const name = `files-${hash.digest('hex').slice(0, 16)}`;
  const taken = new Set(await readdir(folder));
  // Damaged files of the same model have it.
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    if (!taken.has(free)) return free;
  }
}

/** The folder that listed files lie in; empty for the model folder itself. */
export function generationOf(listed: ReadonlyMap<string, unknown>): string {
  const [first = ''] = listed.keys();
  const segment = first.split('/')[0];
  return GENERATION.test(segment) ? segment : '';
}

/** Fields whose strings are words, whatever they say. */
const WORDS: ReadonlySet<string> = new Set(['format', 'name', 'description', 'licence', 'family', 'training', 'files']);

/** The manifest with all files in the folder `generation`. */
export function inGeneration<M extends ModelManifest>(manifest: M, generation: string): M {
  const { files } = manifest;
  // Wherever a family names a file, the name is one of those listed.
  const moved = (value: unknown): unknown => {
    if (typeof value === 'string') return Object.hasOwn(files, value) ? posix.join(generation, value) : value;
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, moved(inner)]));
  };
  const content = Object.entries(manifest).map(([field, value]) => [field, WORDS.has(field) ? value : moved(value)]);
  return {
    ...(Object.fromEntries(content) as M),
    files: Object.fromEntries(Object.entries(files).map(([name, record]) => [posix.join(generation, name), record])),
  };
}

/** What a manifest, valid or not, says of its files; undefined where it says nothing that can be read. */
export async function filesListed(folder: string, file: string): Promise<ReadonlyMap<string, unknown> | undefined> {
  try {
    const bytes = await readRegularFile({ folder, file }, { links: false, max: MANIFEST_BYTES });
    const manifest: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isObject(manifest) || !isObject(manifest.files)) return undefined;
    return new Map(Object.entries(manifest.files).filter(([name]) => isPlainFileName(name)));
  } catch {
    return undefined;
  }
}

/**
 * Removes what the manifest of `folder` does not list any more: other generations, and those files of `names` that it
 * does not list. Everything else in the folder is somebody else's. A folder without a readable manifest is left alone.
 */
export async function removeUnlisted(folder: string, names: Iterable<string>): Promise<void> {
  const listed = await filesListed(folder, MANIFEST_FILE);
  if (listed === undefined) return;
  const used = new Set([...listed.keys()].map((name) => name.split('/')[0]));
  for (const entry of await readdir(folder)) {
    if (GENERATION.test(entry) && !used.has(entry)) await rm(join(folder, entry), { recursive: true, force: true });
  }
  for (const name of names) {
    if (!listed.has(name) && name !== MANIFEST_FILE) await removeFile(folder, name);
  }
}

/** Removes a file, and the folders between that become empty. Never through a symbolic link. */
async function removeFile(folder: string, name: string): Promise<void> {
  const segments = name.split('/');
  for (let depth = 1; depth < segments.length; depth++) {
    const status = await lstat(join(folder, ...segments.slice(0, depth))).catch(() => undefined);
    if (status === undefined || !status.isDirectory()) return;
  }
  const status = await lstat(join(folder, name)).catch(() => undefined);
  if (status?.isDirectory()) return;
  // A killed run may have removed the file and not the folder.
  if (status !== undefined) await rm(join(folder, name), { force: true });
  for (let depth = segments.length - 1; depth > 0; depth--) {
    try {
      await rmdir(join(folder, ...segments.slice(0, depth)));
    } catch {
      return;
    }
  }
}
