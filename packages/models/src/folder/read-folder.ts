import { ForetokenError } from '@foretoken/core';
import { isMissing } from '../io/missing.js';
import type { ModelIo } from '../io/model-io.js';
import { type OnBytes, readFile, readVerifiedFile, verifyFile } from '../io/read-file.js';
import { together } from '../io/together.js';
import { loadCode } from '../load-code.js';
import { parseManifest } from './check-manifest.js';
import { decodeUtf8 } from './json.js';
import { type FileRecord, MANIFEST_BYTES, MANIFEST_FILE, type ModelManifest } from './manifest.js';
import type { ModelFolder, OpenFolderOptions, VerifiedFolder } from './model-folder.js';
import { invalidFolder, quote } from './refusal.js';

/** A folder that is replaced again while it is read is read anew this often. */
const MAX_ATTEMPTS = 4;
/** Bytes of all files up to which they are kept: little beside what a runtime takes. */
const KEPT_BYTES = 64 * 1024 ** 2;

/**
 * Opens a model folder as untrusted input: the manifest first, then every file's size and digest, before any parser but that of the
 * manifest sees a byte. What is read later is verified again, byte for byte, so a folder that is replaced meanwhile is refused and
 * never mixed in.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `NETWORK_FAILURE`, `UNSUPPORTED_CAPABILITY` where digests cannot be made, or
 * the signal's reason, looked at between pieces.
 */
export async function openFolder(io: ModelIo, options: OpenFolderOptions = {}): Promise<ModelFolder> {
  options.signal?.throwIfAborted();
  const { folder } = io;
  const { manifest, contents } = await readVerifiedOrAdapted(io, options);
  const record = (name: string): FileRecord => {
    if (Object.hasOwn(manifest.files, name)) return manifest.files[name];
    throw invalidFolder(`${MANIFEST_FILE} in ${folder} does not list ${quote(name)}, so it may not be read.`, {
      folder,
      file: name,
      required: Object.keys(manifest.files),
    });
  };
  const readBytes = async (name: string): Promise<Uint8Array> => {
    const expected = record(name);
    const content = contents.get(name);
    if (content !== undefined) return content;
    try {
      return await readVerifiedFile(io, name, expected);
    } catch (cause) {
      if (!ForetokenError.isInstance(cause) || cause.code !== 'INVALID_MODEL_FOLDER') throw cause;
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
    release: () => contents.clear(),
  };
}

/** A model folder, or one of another program: what that would say of itself is made of what it holds. */
async function readVerifiedOrAdapted(io: ModelIo, options: OpenFolderOptions): Promise<VerifiedFolder> {
  try {
    const verified = await readVerified(io, options);
    if (options.precision === undefined) return verified;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isMissing(error, MANIFEST_FILE)) throw error;
    const load = () => import('../families/known-adapters.js');
    const { KNOWN_ADAPTERS } = await loadCode('folders of other programs', load);
    for (const adapt of KNOWN_ADAPTERS) {
      const adapted = await adapt(io, options);
      if (adapted !== undefined) return adapted;
    }
    throw error;
  }
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `precision chooses among the graphs of an export, but ${io.folder} is a model folder, which has one of each. Leave it out.`,
    { option: 'precision', received: options.precision, folder: io.folder },
  );
}

async function readVerified(io: ModelIo, options: OpenFolderOptions): Promise<VerifiedFolder> {
  const { signal } = options;
  const readText = async (): Promise<string> => {
    const bytes = await readFile(io, MANIFEST_FILE, MANIFEST_BYTES, signal);
    return decodeUtf8(bytes, MANIFEST_FILE, { folder: io.folder });
  };
  for (let attempt = 1; ; attempt++) {
    const text = await readText();
    const manifest = await parseManifest(text, io.folder);
    try {
      return { manifest, contents: await verifyFiles(io, manifest, options) };
    } catch (error) {
      signal?.throwIfAborted();
      if (!ForetokenError.isInstance(error) || error.code !== 'INVALID_MODEL_FOLDER') throw error;
      // The model may have been replaced in between: then its manifest is another one, and the old files are gone.
      if (attempt === MAX_ATTEMPTS || (await readText()) === text) throw error;
    }
  }
}

/** Verifies all files of a manifest; gives the content of those that would have to be downloaded again, or are to be kept. */
async function verifyFiles(
  io: ModelIo,
  { files }: ModelManifest,
  { signal, onProgress, keep = false }: OpenFolderOptions,
): Promise<Map<string, Uint8Array>> {
  const entries = Object.entries(files);
  const totalBytes = entries.reduce((sum, [, record]) => sum + record.bytes, 0);
  let bytes = 0;
  const told = (file: string): OnBytes | undefined =>
    onProgress &&
    ((more, cached) => {
      // A kept copy that turns out damaged is read once more.
      bytes = Math.min(bytes + more, totalBytes);
      onProgress({ file, cached, bytes, totalBytes });
    });
  const contents = new Map<string, Uint8Array>();
  if (io.remote !== true) {
    const kept = keep && totalBytes <= KEPT_BYTES;
    for (const [file, record] of entries) {
      if (kept) contents.set(file, await readVerifiedFile(io, file, record, signal, told(file)));
      else await verifyFile(io, file, record, signal, told(file));
    }
    return contents;
  }
  await together(entries, signal, async ([file, record], stopping) => {
    contents.set(file, await readVerifiedFile(io, file, record, stopping, told(file)));
  });
  return contents;
}
