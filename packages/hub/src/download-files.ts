import { join } from 'node:path';
import type { ForetokenError } from '@foretoken/core';
import { readSmallFile } from '@foretoken/core/node';
import type { HubAccess } from './ask-hub.js';
import { download } from './download.js';
import { assertGraphSizes, onnxGraphs, weightsOfGraphs } from './graph-weights.js';
import type { HubLocation } from './hub-location.js';
import type { HubOptions } from './hub-options.js';
import { verifiedState } from './kept-files.js';
import { type HubFile, listHubFiles } from './list-hub-files.js';
import { type HubChoice, MANIFEST, neededFiles } from './needed-files.js';
import { INDEX_BYTES, refusedIndex } from './shard-names.js';
import type { KeptFile } from './snapshot.js';

/** What a model is fetched with. */
export interface Fetching {
  readonly place: HubLocation;
  /** Folder of all that is kept of the repository. */
  readonly root: string;
  readonly access: HubAccess;
  readonly onProgress: HubOptions['onProgress'];
  readonly choice: HubChoice;
}

/** A commit that is fetched, and the folder its files go into. */
interface FetchingCommit extends Fetching {
  readonly commit: string;
  readonly folder: string;
}

/** Where parts of files are until they are whole. */
export function partialOf(root: string): string {
  return join(root, 'partial');
}

/**
 * Downloads what is needed of a commit: what its list of files tells, and then the files that graphs say they keep weights in.
 *
 * Throws as `listHubFiles`, `neededFiles`, `weightsOfGraphs` and `download` do.
 */
export async function downloadNeeded(fetching: FetchingCommit): Promise<readonly KeptFile[]> {
  const { place, commit, folder, access, choice } = fetching;
  const { repository } = place;
  const listed = await listHubFiles(place, commit, access);
  const files = await neededFiles(listed, repository, choice, (file) => fetchText(fetching, file));
  // A model folder comes whole.
  const graphs = files.some(({ path }) => path === MANIFEST) ? [] : onnxGraphs(files);
  assertGraphSizes(graphs, repository);
  const kept = await downloadAll(fetching, files);
  const weights = await weightsOfGraphs(graphs, listed, { repository, folder });
  const more = weights.filter((file) => !files.includes(file));
  return [...kept, ...(await downloadAll(fetching, more, kept))];
}

/** Downloads what is not there as it is listed; `earlier` files of the same model are there, which progress counts too. */
export async function downloadAll(
  { place, root, access, onProgress, commit, folder }: FetchingCommit,
  files: readonly (HubFile & Partial<KeptFile>)[],
  earlier: readonly HubFile[] = [],
): Promise<readonly KeptFile[]> {
  const { repository } = place;
  const kept: KeptFile[] = [];
  let before = bytesOf(earlier);
  const totalBytes = before + bytesOf(files);
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

function bytesOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The text of a file that says which others are needed. Throws `INVALID_MODEL_FOLDER` for one that is too long. */
async function fetchText(fetching: FetchingCommit, file: HubFile): Promise<string> {
  const { place, access, folder } = fetching;
  const tooLong = (): ForetokenError =>
    refusedIndex(file.path, place.repository, `${file.bytes} bytes`, `at most ${INDEX_BYTES} bytes`);
  if (file.bytes > INDEX_BYTES) throw tooLong();
  const [{ path }] = await downloadAll({ ...fetching, onProgress: undefined }, [file]);
  access.signal?.throwIfAborted();
  const text = await readSmallFile({ folder, file: path }, INDEX_BYTES, { links: false });
  if (text === undefined) throw tooLong();
  return text;
}
