import { join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import {
  callback,
  checkOptions,
  fields,
  flag,
  immediate,
  type OptionReader,
  type OptionTable,
  path,
  signal as readSignal,
  text,
  wrongValue,
} from '@foretoken/core/kit';
import { fileTrouble, readSmallFile } from '@foretoken/core/node';
import { diskError, readReference, usualCacheFolder, writeReference } from './cache.js';
import { download } from './download.js';
import { type HubPrecision, precisionName } from './export-graphs.js';
import { COMMIT, type HubLocation, parseHubLocation } from './hub-location.js';
import { verifiedState } from './kept-files.js';
import { commitOf, type HubAccess, type HubFile, listHubFiles } from './list-hub-files.js';
import { type HubChoice, neededFiles } from './needed-files.js';
import { removeLeftParts } from './partial-files.js';
import { INDEX_BYTES, refusedIndex } from './shard-names.js';
import { changedFiles, type KeptFile, readRecord, writeRecord } from './snapshot.js';

/** How far a download is, over all files that are needed. */
export interface HubProgress {
  /** The file that bytes came of. */
  readonly file: string;
  /** Bytes of all files that are there. */
  readonly bytes: number;
  /** Bytes of all files that are needed. */
  readonly totalBytes: number;
}

/** Options of a download. */
export interface HubOptions extends HubChoice {
  /** Address of the hub or of a mirror (default: environment variable HF_ENDPOINT, else https://huggingface.co). */
  readonly endpoint?: string | undefined;
  /** Folder that downloads are kept in (default: FORETOKEN_CACHE, else `foretoken` in the system's folder of caches). */
  readonly cacheFolder?: string | undefined;
  /** Token for private and gated repositories (default: HF_TOKEN). It is sent to `endpoint` only. */
  readonly token?: string | undefined;
  /** Take what was kept and ask nobody (default: whether HF_HUB_OFFLINE is 1). */
  readonly offline?: boolean | undefined;
  /** Stops the download; what came is kept, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Is told whenever bytes came. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

/** Names that become parts of file names. */
const plainName =
  (pattern: RegExp, required: string): OptionReader<string> =>
  (name, value) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw wrongValue(name, value, required);
  };
const precision = plainName(/^[a-z0-9]{1,16}$/, 'a precision such as fp32 or q8');
const precisions = fields<{ encoder: string; decoder: string }>({ encoder: precision, decoder: precision }, [
  'encoder',
  'decoder',
]);

const OPTIONS: OptionTable<HubOptions> = {
  precision: (name, value) => (typeof value === 'object' ? precisions(name, value) : precision(name, value)),
  quantisation: plainName(/^[A-Za-z]{1,4}\d+(_[A-Za-z0-9]+)*$/, 'a quantisation such as Q4_K_M or F16'),
  endpoint: text,
  cacheFolder: path,
  token: text,
  offline: flag,
  signal: readSignal,
  onProgress: callback(immediate),
};

/** A model of the hub that lies on this machine. */
export interface HubSnapshot {
  /** The folder that holds the files, as they were in one commit. */
  readonly folder: string;
  /** The commit, 40 hexadecimal digits. */
  readonly commit: string;
}

/** What a model is fetched with. */
interface Fetching {
  readonly place: HubLocation;
  /** Folder of all that is kept of the repository. */
  readonly root: string;
  readonly access: HubAccess;
  readonly onProgress: HubOptions['onProgress'];
  readonly choice: HubChoice;
}

/**
 * Downloads what is needed of a model on the Hugging Face hub, named `hub:owner/name[@revision]`: a Foretoken model folder, graphs
 * of an ONNX export, or weights for `importModel`. Files are verified by size and digest, kept by commit, and taken from there the next time; a download
 * that broke off goes on where it ended. A kept file whose size, times or inode are others than when it was verified is digested
 * again, and downloaded again where it was changed.
 *
 * Throws `INVALID_ARGUMENT`, `UNSUPPORTED_MODEL`, `NETWORK_FAILURE`, `INVALID_MODEL_FOLDER` for a kept file that was changed and may
 * not be downloaded again, `RUNTIME_FAILURE` where the disk is full or fails, or the signal's reason.
 */
export async function fetchFromHub(location: string, options: HubOptions = {}): Promise<HubSnapshot> {
  const { onProgress, signal, precision, quantisation, ...given } = checkOptions('fetchFromHub', options, OPTIONS);
  refuseBoth(precision, quantisation);
  const place = parseHubLocation(location);
  signal?.throwIfAborted();
  const { env } = process;
  const access = {
    endpoint: readEndpoint(given.endpoint ?? (env.HF_ENDPOINT || 'https://huggingface.co')),
    token: readToken(given.token ?? (env.HF_TOKEN || undefined)),
    signal,
  };
  const cache = resolve(given.cacheFolder ?? usualCacheFolder(env));
  const root = join(cache, `models--${place.repository.replace('/', '--')}`);
  const fetching = { place, root, access, onProgress, choice: { precision, quantisation } };
  const isOffline = given.offline ?? /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? '');
  try {
    return await (isOffline ? keptSnapshot(fetching) : currentSnapshot(fetching));
  } catch (error) {
    throw diskError(error, cache);
  }
}

function readEndpoint(value: string): string {
  const isAddress = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (isAddress) return value.replace(/(?<!\/)\/+$/, '');
  throw wrongValue('endpoint (or HF_ENDPOINT)', value, 'an address such as https://huggingface.co');
}

/** A token goes into a header, and never into a message. */
function readToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    'token (or HF_TOKEN) must be letters, digits and signs of ASCII without blanks, but it holds others. Copy it again.',
    { option: 'token', required: 'printable ASCII without blanks' },
  );
}

function refuseBoth(precision: HubPrecision | undefined, quantisation: string | undefined): void {
  if (precision === undefined || quantisation === undefined) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    'precision chooses graphs of an ONNX export, and quantisation a GGUF file. Leave out one of them.',
    { option: 'quantisation', received: quantisation, precision },
  );
}

/** What was chosen of a commit has a folder of its own, so that each holds one model. */
function folderOf({ root, choice: { precision, quantisation } }: Fetching, commit: string): string {
  const chosen = quantisation?.toUpperCase() ?? (precision && precisionName(precision));
  return join(root, 'snapshots', chosen === undefined ? commit : `${commit}-${chosen}`);
}

async function currentSnapshot(fetching: Fetching): Promise<HubSnapshot> {
  const { place, root, access, choice } = fetching;
  const commit = await commitOf(place, access);
  const folder = folderOf(fetching, commit);
  const record = await readRecord(folder);
  const isWhole = record !== undefined && (await changedFiles(folder, record, access.signal)).length === 0;
  if (isWhole) {
    // A cache that others fill may be closed to writing.
    await writeReference(root, place.revision, commit).catch((error) => {
      if (fileTrouble(error) === undefined) throw error;
    });
    await removeLeftParts(partialOf(root), record);
    return { folder, commit };
  }
  const read = (file: HubFile): Promise<string> => fetchText(fetching, commit, folder, file);
  const files =
    record ?? (await neededFiles(await listHubFiles(place, commit, access), place.repository, choice, read));
  await writeRecord(folder, await downloadAll(fetching, commit, folder, files));
  await writeReference(root, place.revision, commit);
  await removeLeftParts(partialOf(root), files);
  return { folder, commit };
}

/** Where parts of files are until they are whole. */
function partialOf(root: string): string {
  return join(root, 'partial');
}

/** Downloads what is not there as it is listed. */
async function downloadAll(
  { place, root, access, onProgress }: Fetching,
  commit: string,
  folder: string,
  files: readonly (HubFile & Partial<KeptFile>)[],
): Promise<readonly KeptFile[]> {
  const { repository } = place;
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const kept: KeptFile[] = [];
  let before = 0;
  for (const { path, bytes, digest, state } of files) {
    access.signal?.throwIfAborted();
    const file = { path, bytes, digest };
    const onBytes = (done: number): void => onProgress?.({ file: path, bytes: before + done, totalBytes });
    const known = await verifiedState(folder, file, state, access.signal);
    if (known !== undefined) onBytes(bytes);
    const partial = partialOf(root);
    const now = known ?? (await download({ file, repository, commit, folder, partial, access, onBytes }));
    kept.push({ ...file, state: now });
    before += bytes;
  }
  return kept;
}

/** The text of a file that says which others are needed. Throws `INVALID_MODEL_FOLDER` for one that is too long. */
async function fetchText(fetching: Fetching, commit: string, folder: string, file: HubFile): Promise<string> {
  const { place, access } = fetching;
  const tooLong = (): ForetokenError =>
    refusedIndex(file.path, place.repository, `${file.bytes} bytes`, `at most ${INDEX_BYTES} bytes`);
  if (file.bytes > INDEX_BYTES) throw tooLong();
  const [{ path }] = await downloadAll({ ...fetching, onProgress: undefined }, commit, folder, [file]);
  access.signal?.throwIfAborted();
  const text = await readSmallFile({ folder, file: path }, INDEX_BYTES, { links: false });
  if (text === undefined) throw tooLong();
  return text;
}

/** What an earlier download left. */
async function keptSnapshot(fetching: Fetching): Promise<HubSnapshot> {
  const { place, root, access } = fetching;
  const { repository, revision } = place;
  const commit = COMMIT.test(revision) ? revision : await readReference(root, revision);
  const folder = folderOf(fetching, commit ?? '');
  const record = commit === undefined ? undefined : await readRecord(folder);
  if (commit === undefined || record === undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${repository} at ${revision} was not kept whole on this machine, and nothing may be downloaded offline. Load it once without HF_HUB_OFFLINE.`,
      {
        option: 'location',
        received: `hub:${repository}@${revision}`,
        required: 'a model that was downloaded before',
      },
    );
  }
  const changed = await changedFiles(folder, record, access.signal);
  if (changed.length === 0) return { folder, commit };
  const [{ path: file }] = changed;
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${file} of ${repository} was changed or lost since it was downloaded, and nothing may be downloaded offline. Load it once without HF_HUB_OFFLINE: what was changed is downloaded again.`,
    { folder, file, received: changed.map(({ path }) => path), required: 'the files that were downloaded' },
  );
}
