import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { parseManifest } from './check-manifest.js';
import { FOREIGN_BYTES, foreignContent } from './foreign-content.js';
import { decodeUtf8 } from './json.js';
import { locateModel, type ModelLocation } from './locate-model.js';
import { type FileRecord, MANIFEST_BYTES, MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { errorCode, invalidFolder, quote, reason } from './refusal.js';
import { type FilePlace, type OpenFile, openRegularFile, readRegularFile, sha256OpenFile } from './safe-file.js';

/** A folder that is replaced again while it is read is read anew this often. */
const MOST_ATTEMPTS = 4;

/** A model folder whose files all had the size and digest their manifest states when it was opened. */
export interface ModelFolder {
  /** Absolute path, symbolic links resolved. */
  readonly path: string;
  readonly manifest: ModelManifest;
  /** Absolute path of a listed file. Throws `INVALID_MODEL_FOLDER` for a name the manifest does not list. */
  filePath(name: string): string;
  /**
   * Content of a listed file, its size and digest checked again on the bytes returned. Throws `INVALID_MODEL_FOLDER` where it
   * is no longer the file that was verified when the folder was opened.
   */
  readBytes(name: string): Promise<Uint8Array>;
  /** As `readBytes`, decoded. */
  readText(name: string): Promise<string>;
}

/**
 * Opens a model folder as untrusted input: the manifest first, then every file's kind, size and digest, before any parser
 * but that of the manifest sees a byte.
 *
 * Names are plain and no component below the folder is a symbolic link, so nothing outside the folder is read. Hard links
 * are accepted: package managers such as pnpm hard-link every file they install, so a link count says nothing. The digest
 * does: whoever wrote it into the manifest already knew the content, so a hard link to a secret file gives nothing away.
 * What is read later is verified again, byte for byte, so a folder that is replaced meanwhile is refused and never mixed in.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, or the signal's reason, looked at between pieces.
 */
export async function openModelFolder(location: ModelLocation, signal?: AbortSignal): Promise<ModelFolder> {
  signal?.throwIfAborted();
  const folder = await resolveFolder(await locateModel(location), 'model', `create one with "foretoken import"`);
  const manifest = await readVerified(folder, signal);
  const record = (name: string): FileRecord => {
    if (Object.hasOwn(manifest.files, name)) return manifest.files[name] as FileRecord;
    throw invalidFolder(`${MANIFEST_FILE} in ${folder} does not list ${quote(name)}, so it may not be read.`, {
      folder,
      file: name,
      required: Object.keys(manifest.files),
    });
  };
  const readBytes = async (name: string): Promise<Uint8Array> => {
    const expected = record(name);
    try {
      return await readVerifiedFile(folder, name, expected);
    } catch (cause) {
      if (!ForetokenError.isInstance(cause)) throw cause;
      throw invalidFolder(
        `${name} in ${folder} is not the file that was verified when the model was opened: the folder was changed or replaced since. Load the model again.`,
        { ...cause.details, folder, file: name, required: 'the file that was verified' },
        cause,
      );
    }
  };
  return {
    path: folder,
    manifest,
    readBytes,
    filePath: (name) => {
      record(name);
      return join(folder, name);
    },
    readText: async (name) => decodeUtf8(await readBytes(name), name, { folder }),
  };
}

/** The manifest of a folder whose files are as it says. */
async function readVerified(folder: string, signal: AbortSignal | undefined): Promise<ModelManifest> {
  const readText = async (): Promise<string> => {
    const bytes = await readRegularFile({ folder, file: MANIFEST_FILE }, { links: false, most: MANIFEST_BYTES });
    return decodeUtf8(bytes, MANIFEST_FILE, { folder });
  };
  for (let attempt = 1; ; attempt++) {
    const text = await readText();
    const manifest = parseManifest(text, folder);
    try {
      for (const [file, record] of Object.entries(manifest.files)) await verifyFile(folder, file, record, signal);
      return manifest;
    } catch (error) {
      signal?.throwIfAborted();
      // The model may have been replaced in between: then its manifest is another one, and the old files are gone.
      if (attempt === MOST_ATTEMPTS || (await readText()) === text) throw error;
    }
  }
}

/** SHA-256 of a regular file in hexadecimal, read in pieces. Throws `INVALID_MODEL_FOLDER` when it cannot be read. */
export async function sha256File(path: string): Promise<string> {
  const place = { folder: dirname(path), file: basename(path) };
  const open = await openRegularFile(place, { links: true });
  try {
    return await sha256OpenFile(open, place);
  } finally {
    await open.handle.close();
  }
}

/** The real path of an existing folder. Throws `INVALID_MODEL_FOLDER`, `INVALID_ARGUMENT`. */
export async function resolveFolder(path: string, kind: 'model' | 'weights', remedy: string): Promise<string> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The path of the ${kind} folder must be a text without NUL characters, but was ${quote(path)}.`,
      { option: 'path', received: path, required: 'a path' },
    );
  }
  const details = { folder: path, required: 'a folder' };
  let isFolder: boolean;
  let real: string;
  try {
    real = await realpath(path);
    isFolder = (await stat(real)).isDirectory();
  } catch (cause) {
    const why =
      errorCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(cause) ?? reason(cause)})`;
    throw invalidFolder(`The ${kind} folder ${path} ${why}. Check the path, or ${remedy}.`, details, cause);
  }
  if (isFolder) return real;
  throw invalidFolder(`${path} is a file, but a ${kind} folder is required. Pass the folder that holds it.`, details);
}

async function readVerifiedFile(folder: string, file: string, record: FileRecord): Promise<Uint8Array> {
  const place = { folder, file };
  const hash = createHash('sha256');
  const content = await readRegularFile(place, { links: false, most: record.bytes, hash });
  checkSize(folder, file, content.length, record.bytes);
  checkDigest(folder, file, hash.digest('hex'), record.sha256);
  return content;
}

/** Throws `INVALID_MODEL_FOLDER` unless a file has the size and digest of its record, or the signal's reason. */
export async function verifyFile(
  folder: string,
  file: string,
  record: FileRecord,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const place = { folder, file };
  const open = await openRegularFile(place, { links: false });
  try {
    if (open.bytes !== record.bytes) await refuseForeign(open, place);
    checkSize(folder, file, open.bytes, record.bytes);
    checkDigest(folder, file, await sha256OpenFile(open, place, signal), record.sha256);
  } finally {
    await open.handle.close();
  }
}

/** Throws `INVALID_MODEL_FOLDER` where a download left something else in the file's place. */
async function refuseForeign({ handle, bytes }: OpenFile, place: FilePlace): Promise<void> {
  const begin = new Uint8Array(Math.min(FOREIGN_BYTES, bytes));
  await handle.read(begin, 0, begin.length, 0);
  const foreign = foreignContent(begin);
  if (foreign === undefined) return;
  throw invalidFolder(`${place.file} in ${place.folder} is ${foreign}`, { ...place, required: 'the file itself' });
}

function checkSize(folder: string, file: string, received: number, required: number): void {
  if (received === required) return;
  throw invalidFolder(
    `${file} in ${folder} is ${received < required ? 'truncated' : 'oversized'}: it has ${received} bytes, but ${MANIFEST_FILE} says ${required}. Fetch or create the model again.`,
    { folder, file, field: `files.${file}.bytes`, received, required },
  );
}

function checkDigest(folder: string, file: string, received: string, required: string): void {
  if (received === required) return;
  throw invalidFolder(
    `${file} in ${folder} is not the file that ${MANIFEST_FILE} describes: its SHA-256 digest differs. Fetch or create the model again.`,
    { folder, file, field: `files.${file}.sha256`, received, required },
  );
}
