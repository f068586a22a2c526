import { ForetokenError } from '@foretoken/core';
import type { ModelIo } from '../io/model-io.js';
import { readFile, readVerifiedFile, verifyFile } from '../io/read-file.js';
import { parseManifest } from './check-manifest.js';
import { decodeUtf8 } from './json.js';
import { type FileRecord, MANIFEST_BYTES, MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { invalidFolder, quote } from './refusal.js';

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
 * Opens a model folder as untrusted input: the manifest first, then every file's size and digest, before any parser but that of the
 * manifest sees a byte. What is read later is verified again, byte for byte, so a folder that is replaced meanwhile is refused and
 * never mixed in.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, or the signal's reason, looked at between pieces.
 */
export async function openFolder(io: ModelIo, signal?: AbortSignal): Promise<ModelFolder> {
  signal?.throwIfAborted();
  const { folder } = io;
  const manifest = await readVerified(io, signal);
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
      return await readVerifiedFile(io, name, expected);
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
      return io.pathOf(name);
    },
    readText: async (name) => decodeUtf8(await readBytes(name), name, { folder }),
  };
}

/** The manifest of a folder whose files are as it says. */
async function readVerified(io: ModelIo, signal: AbortSignal | undefined): Promise<ModelManifest> {
  const readText = async (): Promise<string> => {
    const bytes = await readFile(io, MANIFEST_FILE, MANIFEST_BYTES);
    return decodeUtf8(bytes, MANIFEST_FILE, { folder: io.folder });
  };
  for (let attempt = 1; ; attempt++) {
    const text = await readText();
    const manifest = parseManifest(text, io.folder);
    try {
      for (const [file, record] of Object.entries(manifest.files)) await verifyFile(io, file, record, signal);
      return manifest;
    } catch (error) {
      signal?.throwIfAborted();
      // The model may have been replaced in between: then its manifest is another one, and the old files are gone.
      if (attempt === MOST_ATTEMPTS || (await readText()) === text) throw error;
    }
  }
}
