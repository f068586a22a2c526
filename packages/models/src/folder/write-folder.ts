import { lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { checkOptions } from '@foretoken/core/kit';
import { fileTrouble } from '@foretoken/core/node';
import { type FileLocation, filePath } from '../node/file-path.js';
import { checkManifest } from './check-manifest.js';
import { type FileContent, filesOf, WRITE_OPTIONS, type WriteFolderOptions } from './folder-content.js';
import { type FileRecord, MANIFEST_FILE, type ManifestContent, type ModelManifest } from './manifest.js';
import { errorCode, escaped, invalidFolder, reason } from './refusal.js';
import { replaceFiles, type StagedModel } from './replace-files.js';
import { besideOf, insideOf, type Staging, sweepStaging, takeStaging } from './staging.js';
import { flush, manifestText, writeFlushed } from './write-files.js';

const NO_DIGEST = '0'.repeat(64);

/**
 * Writes a model folder whole or not at all, and returns its manifest with sizes and digests filled in.
 *
 * Files are written in the order of the map, so the content of one may be made of what the making of an earlier one has shown.
 * Everything goes to a staging folder first, is flushed to disk and proved. A new model folder then appears by one rename. In
 * an existing one the new files go to a folder of their own (see `replaceFiles`) and the manifest is exchanged by one
 * rename: at every moment the target is the old model or the new one. What a killed run leaves is removed by the next.
 *
 * Throws `INVALID_ARGUMENT` (target in the way, or being written), `INVALID_MODEL_FOLDER` (the manifest is not valid, or the
 * disk refuses), `UNSUPPORTED_MODEL`, the signal's reason, and what `prove` and the making of a content throw; then nothing has
 * changed.
 */
export async function writeModelFolder<Content extends ManifestContent>(
  target: FileLocation,
  content: Content,
  files: ReadonlyMap<string, FileContent>,
  options: WriteFolderOptions = {},
): Promise<ModelManifest> {
  return writeChecked(
    resolve(filePath('target', target)),
    content,
    filesOf(files),
    checkOptions('writeModelFolder', options, WRITE_OPTIONS),
  );
}

async function writeChecked(
  path: string,
  content: ManifestContent,
  files: ReadonlyMap<string, FileContent>,
  options: WriteFolderOptions,
): Promise<ModelManifest> {
  // Refused before anything is written, as far as it is known by then.
  manifestText(await describe(path, content, sizesOf(files)), path);
  const existing = await inspectTarget(path, options.replace ?? false);
  const parent = dirname(path);
  let undo = async (): Promise<void> => undefined;
  try {
    undo = await makeFolders(parent);
    const write = (staging: Staging) => stage(staging, path, content, files, options);
    const written =
      existing === 'model folder'
        ? await replaceFiles(path, insideOf(path), write)
        : await moveIntoPlace(path, existing, write);
    // A killed run may have left its folder there when the target was not there yet.
    await sweepStaging(besideOf(parent, basename(path))).catch(() => undefined);
    return written;
  } catch (error) {
    await undo();
    if (errorCode(error) === undefined || ForetokenError.isInstance(error)) throw error;
    throw invalidFolder(
      `The model folder ${path} could not be written: ${reason(error)}. Nothing was changed; check space and permissions.`,
      { folder: path, received: errorCode(error) },
      error,
    );
  }
}

/** Writes all files and the manifest to the staging folder. */
async function stage(
  staging: Staging,
  path: string,
  content: ManifestContent,
  files: ReadonlyMap<string, FileContent>,
  { signal, prove }: WriteFolderOptions,
): Promise<StagedModel> {
  const folder = join(staging.path, 'model');
  await mkdir(folder);
  const records: Record<string, FileRecord> = {};
  for (const [name, value] of files) records[name] = await writeFlushed(folder, name, toPieces(value), signal);
  const manifest = await describe(path, content, records);
  await writeFlushed(folder, MANIFEST_FILE, [manifestText(manifest, path)], signal);
  await flush(folder);
  await prove?.(folder);
  signal?.throwIfAborted();
  return { staging, folder, manifest };
}

/** Makes the staged model the target, which is nothing or an empty folder. */
async function moveIntoPlace(
  path: string,
  existing: Existing,
  write: (staging: Staging) => Promise<StagedModel>,
): Promise<ModelManifest> {
  const staging = await takeStaging(besideOf(dirname(path), basename(path)), async () => undefined);
  try {
    const { folder, manifest } = await write(staging);
    await staging.assertHeld();
    // Elsewhere a rename replaces an empty folder in one step.
    if (existing === 'empty folder' && process.platform === 'win32') await rmdir(path);
    await rename(folder, path);
    await flush(dirname(path)).catch(() => undefined);
    return manifest;
  } finally {
    await staging.release().catch(() => undefined);
  }
}

function toPieces(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === 'function') return content();
  if (typeof content === 'string') return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/** Sizes alone, and none of files that are yet to be made; the rest is known once the files are written. */
function sizesOf(files: ReadonlyMap<string, FileContent>): Record<string, FileRecord> {
  const bytesOf = (content: FileContent): number => {
    if (typeof content === 'function') return 0;
    if (typeof content === 'string') return Buffer.byteLength(content);
    return content instanceof Uint8Array ? content.length : content.reduce((sum, { length }) => sum + length, 0);
  };
  return Object.fromEntries(
    [...files].map(([name, content]) => [name, { bytes: bytesOf(content), sha256: NO_DIGEST }]),
  );
}

async function describe(
  path: string,
  manifest: ManifestContent,
  records: Readonly<Record<string, FileRecord>>,
): Promise<ModelManifest> {
  const files = Object.fromEntries(Object.entries(records).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.hasOwn(files, MANIFEST_FILE)) {
    throw new ForetokenError('INVALID_ARGUMENT', `files must not hold ${MANIFEST_FILE}, which is written for you.`, {
      option: 'files',
      received: MANIFEST_FILE,
    });
  }
  let text: string;
  try {
    text = JSON.stringify({ ...manifest, files });
  } catch (cause) {
    // A cycle, a bigint, or more levels than fit on the stack.
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The manifest cannot be written as JSON: ${reason(cause).split('\n')[0]}. Give training facts that can.`,
      { option: 'training' },
      { cause },
    );
  }
  // As it will be read back: without what JSON cannot say.
  return checkManifest(JSON.parse(text), path);
}

/** Refuses a target that nothing may be written to. Throws `INVALID_ARGUMENT`. */
export async function assertTarget(target: FileLocation, replace: boolean): Promise<void> {
  await inspectTarget(resolve(filePath('target', target)), replace);
}

type Existing = 'nothing' | 'empty folder' | 'model folder';

async function inspectTarget(path: string, replace: boolean): Promise<Existing> {
  const refuse = (why: string, remedy: string): never => {
    throw new ForetokenError('INVALID_ARGUMENT', escaped(`${path} ${why}. ${remedy}`), {
      option: 'target',
      received: path,
    });
  };
  let names: string[];
  try {
    if (!(await lstat(path)).isDirectory()) refuse('exists and is not a folder', 'Choose another target.');
    names = await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'nothing';
    const trouble = fileTrouble(error);
    if (trouble === undefined) throw error;
    return refuse(trouble.words, 'Choose another target.');
  }
  if (names.length === 0) return 'empty folder';
  // A mistyped target must not cost a folder of something else.
  if (!names.includes(MANIFEST_FILE)) refuse('holds something that is not a model', 'Choose another target.');
  if (!replace)
    refuse('already holds a model', 'Choose another target, or replace it: --replace, or the option replace in code.');
  return 'model folder';
}

/** Makes a folder and those above it; what it returns removes those that were made and are empty. */
async function makeFolders(path: string): Promise<() => Promise<void>> {
  const first = await mkdir(path, { recursive: true });
  return async () => {
    try {
      for (let at = path; first !== undefined; at = dirname(at)) {
        await rmdir(at);
        if (at === first) return;
      }
    } catch {
      // It is in use by now.
    }
  };
}
