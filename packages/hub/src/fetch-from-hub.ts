import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import {
  callback,
  checkOptions,
  flag,
  immediate,
  type OptionTable,
  signal as readSignal,
  text,
} from '@foretoken/core/kit';
import { download } from './download.js';
import { type HubLocation, parseHubLocation } from './hub-location.js';
import { commitOf, type HubFile, listHubFiles } from './list-hub-files.js';
import { neededFiles } from './needed-files.js';

/** How far a download is, over all files that are needed. */
export interface HubProgress {
  readonly file: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Options of a download. */
export interface HubOptions {
  /** Address of the hub or of a mirror (default: environment variable HF_ENDPOINT, else https://huggingface.co). */
  readonly endpoint?: string | undefined;
  /** Folder that downloads are kept in (default: FORETOKEN_CACHE, else `foretoken` in the system's folder of caches). */
  readonly cacheFolder?: string | undefined;
  /** Token for private and gated repositories (default: HF_TOKEN). It is sent to `endpoint` only. */
  readonly token?: string | undefined;
  /** Take what was kept and ask nobody (default: whether HF_HUB_OFFLINE is 1). */
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told whenever bytes came. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

const OPTIONS: OptionTable<HubOptions> = {
  endpoint: text,
  cacheFolder: text,
  token: text,
  offline: flag,
  signal: readSignal,
  onProgress: callback(immediate),
};

/** A model of the hub that lies on this machine. */
export interface HubSnapshot {
  /** The folder that holds the files, as they were in one commit. */
  readonly folder: string;
  readonly commit: string;
}

const COMPLETE = '.complete';

/**
 * Downloads what is needed of a model on the Hugging Face hub, named `hub:owner/name[@revision]`: a Foretoken model folder, or
 * weights for `importModel`. Files are verified by size and digest, kept by commit, and taken from there the next time; a download
 * that broke off goes on where it ended.
 *
 * Throws `INVALID_ARGUMENT`, `UNSUPPORTED_MODEL`, `NETWORK_FAILURE`, or the signal's reason.
 */
export async function fetchFromHub(location: string, options: HubOptions = {}): Promise<HubSnapshot> {
  const { onProgress, signal, ...given } = checkOptions('fetchFromHub', options, OPTIONS);
  const place = parseHubLocation(location);
  signal?.throwIfAborted();
  const { env } = process;
  const endpoint = (given.endpoint ?? env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/(?<!\/)\/+$/, '');
  const access = { endpoint, token: given.token ?? env.HF_TOKEN, signal };
  const root = join(given.cacheFolder ?? cacheFolder(), `models--${place.repository.replace('/', '--')}`);
  if (given.offline ?? env.HF_HUB_OFFLINE === '1') return kept(place, root);
  const commit = await commitOf(place, access);
  const folder = join(root, 'snapshots', commit);
  if (!(await exists(join(folder, COMPLETE)))) {
    const files = neededFiles(await listHubFiles(place, commit, access), place.repository);
    const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let before = 0;
    for (const file of files) {
      signal?.throwIfAborted();
      const onBytes = (bytes: number): void => onProgress?.({ file: file.path, bytes: before + bytes, totalBytes });
      const target = join(folder, file.path);
      if (await hasSize(target, file)) onBytes(file.bytes);
      else
        await download({
          file,
          repository: place.repository,
          commit,
          target,
          partial: join(root, 'partial'),
          access,
          onBytes,
        });
      before += file.bytes;
    }
    await writeFile(join(folder, COMPLETE), '');
  }
  const reference = referenceFile(root, place.revision);
  await mkdir(dirname(reference), { recursive: true });
  await writeFile(reference, commit);
  return { folder, commit };
}

/** What an earlier download left. */
async function kept({ repository, revision }: HubLocation, root: string): Promise<HubSnapshot> {
  const commit = await readFile(referenceFile(root, revision), 'utf8').catch(() => revision);
  const folder = join(root, 'snapshots', commit);
  if (/^[0-9a-f]{40}$/.test(commit) && (await exists(join(folder, COMPLETE)))) return { folder, commit };
  const there = await readdir(join(root, 'snapshots')).catch(() => []);
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${repository} at ${revision} was not kept whole on this machine, and nothing may be downloaded offline. Load it once without HF_HUB_OFFLINE.`,
    {
      option: 'location',
      received: `hub:${repository}@${revision}`,
      required: 'a model that was downloaded before',
      kept: there,
    },
  );
}

function referenceFile(root: string, revision: string): string {
  return join(root, 'refs', encodeURIComponent(revision));
}

function cacheFolder(): string {
  const { FORETOKEN_CACHE: own, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
  if (own !== undefined && own !== '') return join(own, 'hub');
  return join(caches || (process.platform === 'win32' && local) || join(homedir(), '.cache'), 'foretoken', 'hub');
}

async function hasSize(path: string, { bytes }: HubFile): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile() && found.size === bytes,
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
