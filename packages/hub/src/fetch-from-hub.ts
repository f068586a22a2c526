import { join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { fileTrouble } from '@foretoken/core/node';
import { type Pace, REAL_TIME } from './ask-hub.js';
import { diskError, readReference, usualCacheFolder, writeReference } from './cache.js';
import { downloadAll, downloadNeeded, type Fetching, partialOf } from './download-files.js';
import { precisionName } from './export-graphs.js';
import { onnxGraphs } from './graph-weights.js';
import { COMMIT, parseHubLocation } from './hub-location.js';
import { type HubOptions, readHost, readHubOptions } from './hub-options.js';
import { commitOf } from './list-hub-files.js';
import { removeLeftParts } from './partial-files.js';
import { changedFiles, readRecord, writeRecord } from './snapshot.js';

/** A model of the hub that lies on this machine. */
export interface HubSnapshot {
  /** The folder that holds the files, as they were in one commit. */
  readonly folder: string;
  /** The commit, 40 hexadecimal digits. */
  readonly commit: string;
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
export function fetchFromHub(location: string, options: HubOptions = {}): Promise<HubSnapshot> {
  return fetchAtPace(REAL_TIME, location, options);
}

/** As `fetchFromHub`, with the time that is waited for a server in trouble. */
export async function fetchAtPace(pace: Pace, location: string, options: HubOptions): Promise<HubSnapshot> {
  const { onProgress, signal, precision, quantisation, ...given } = readHubOptions(options);
  const place = parseHubLocation(location);
  signal?.throwIfAborted();
  const { env } = process;
  const access = { ...readHost(given, env), signal, pace };
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

/** What was chosen of a commit has a folder of its own, so that each holds one model. */
function folderOf({ root, choice: { precision, quantisation } }: Fetching, commit: string): string {
  const chosen = quantisation?.toUpperCase() ?? (precision && precisionName(precision));
  return join(root, 'snapshots', chosen === undefined ? commit : `${commit}-${chosen}`);
}

async function currentSnapshot(fetching: Fetching): Promise<HubSnapshot> {
  const { place, root, access } = fetching;
  const commit = await commitOf(place, access);
  const folder = folderOf(fetching, commit);
  const record = await readRecord(folder);
  const known = record?.isOld === true && onnxGraphs(record.files).length > 0 ? undefined : record;
  const isWhole = known !== undefined && (await changedFiles(folder, known, access.signal)).length === 0;
  if (isWhole) {
    // A cache that others fill may be closed to writing.
    await writeReference(root, place.revision, commit).catch((error) => {
      if (fileTrouble(error) === undefined) throw error;
    });
    await removeLeftParts(partialOf(root), known.files);
    return { folder, commit };
  }
  const snapshot = { ...fetching, commit, folder };
  const files = await (known === undefined ? downloadNeeded(snapshot) : downloadAll(snapshot, known.files));
  await writeRecord(folder, { files, isOld: false });
  await writeReference(root, place.revision, commit);
  await removeLeftParts(partialOf(root), files);
  return { folder, commit };
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
