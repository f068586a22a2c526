import { readdir, realpath, stat } from 'node:fs/promises';
import { ForetokenError } from '@foretoken/core';
import { signal as readSignal } from '@foretoken/core/kit';
import { fileTrouble, kindOf } from '@foretoken/core/node';
import type { ExportPrecisions } from '../folder/export-precisions.js';
import { MANIFEST_FILE } from '../folder/manifest.js';
import type { ModelFolder, OpenFolderOptions } from '../folder/model-folder.js';
import { openFolder } from '../folder/read-folder.js';
import { invalidFolder, quote, reason } from '../folder/refusal.js';
import { fetchFolder } from '../io/fetch.js';
import type { ModelIo } from '../io/model-io.js';
import { isModelIo, type ModelLocation } from '../platform.js';
import { fileSystem } from './file-system.js';
import { hubFolder, isHubLocation } from './hub-folder.js';
import { locateModel } from './locate-model.js';
import { weightsAmong } from './weights-names.js';

/**
 * Opens a model folder as untrusted input: the manifest first, then every file's kind, size and digest, before any
 * parser but that of the manifest sees a byte.
 *
 * Names are plain and no component below the folder is a symbolic link, so nothing outside the folder is read. Hard links
 * are accepted: package managers such as pnpm hard-link every file they install, so a link count says nothing. The digest
 * does: whoever wrote it into the manifest already knew the content, so a hard link to a secret file gives nothing away.
 * What is read later is verified again, byte for byte, so a folder that is replaced meanwhile is refused and never mixed in.
 *
 * A folder of an exporter has no manifest: what it would say is made of its graphs and configs; `precision` says which graphs, as the
 * option of `loadModel` does.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, or the signal's reason, looked at between pieces.
 */
export async function openModelFolder(
  location: ModelLocation,
  signal?: AbortSignal,
  precision?: ExportPrecisions,
): Promise<ModelFolder> {
  if (signal !== undefined) readSignal('signal', signal).throwIfAborted();
  return openFolder(await locate(location, { signal }), { signal, precision });
}

/** What reads a location. Throws `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER`, `NETWORK_FAILURE`. */
export async function locate(location: ModelLocation, options: OpenFolderOptions = {}): Promise<ModelIo> {
  if (isModelIo(location)) return location;
  if (isHubLocation(location)) return fileSystem(await modelOfHub(location, options));
  if (isWebAddress(location)) return fetchFolder(location);
  return fileSystem(await resolveModelFolder(location));
}

/** A value that is no location may throw where it is read. */
function isWebAddress(location: string | URL): boolean {
  try {
    return /^https?:/i.test(String(location));
  } catch {
    return false;
  }
}

/** Downloads a model folder of the hub, and says what to do with weights. */
async function modelOfHub(location: string, options: OpenFolderOptions): Promise<string> {
  const folder = await resolveFolder(await hubFolder(location, options), 'model', 'load it again');
  const names = await readdir(folder);
  const isWeights = weightsAmong(names) !== undefined;
  if (!isWeights || names.includes(MANIFEST_FILE) || options.precision !== undefined) return folder;
  throw invalidFolder(
    `${location} holds weights, which must be made a model folder first. Run \`foretoken import ${location} model\`, then load "model"; or choose graphs of an ONNX export by the option precision, where it has them.`,
    { folder, file: MANIFEST_FILE, required: 'a model folder' },
  );
}

/** The real path of a model folder. Throws `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER`. */
export async function resolveModelFolder(location: string | URL): Promise<string> {
  return resolveFolder(await locateModel(location), 'model', `create one with "foretoken import"`);
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
  let what: string;
  let real: string;
  try {
    real = await realpath(path);
    what = kindOf(await stat(real));
  } catch (cause) {
    const trouble = fileTrouble(cause);
    const why = trouble?.received === 'ENOENT' ? 'does not exist' : (trouble?.words ?? reason(cause));
    throw invalidFolder(`The ${kind} folder ${path} ${why}. Check the path, or ${remedy}.`, details, cause);
  }
  if (what === 'a folder') return real;
  const { adviceForFile } = await import('./what-lies-there.js');
  const instead = what === 'a file' ? adviceForFile(path) : `Check the path, or ${remedy}.`;
  throw invalidFolder(`${path} is ${what}, but a ${kind} folder is required. ${instead}`, {
    ...details,
    received: what,
  });
}
