import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyFile } from '../io/read-file.js';
import { fileSystem } from '../node/file-system.js';
import { checkManifest } from './check-manifest.js';
import { filesListed, freeGeneration, generationOf, inGeneration, removeUnlisted } from './generation.js';
import { MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { type Staging, type StagingPlace, takeStaging } from './staging.js';
import { flush, manifestText, writeFlushed } from './write-files.js';

/** Copy of the manifest that a run replaces: its files are to be removed. */
const REPLACED = 'replaced.json';
/** The manifest that takes its place. */
const NEXT = 'next.json';

/** A model that was written in full to a staging folder. */
export interface StagedModel {
  readonly staging: Staging;
  /** The folder that holds it, its files under plain names. */
  readonly folder: string;
  readonly manifest: ModelManifest;
}

/**
 * Exchanges the model of a folder that holds one. The new files go into a folder of their own in it, and one rename of
 * the manifest makes them the model; only then are the old files removed. Where they are the same, only the manifest
 * changes.
 *
 * A killed run leaves the old model or the new one, and files that the manifest does not list, which the next run removes.
 */
export async function replaceFiles(
  path: string,
  place: StagingPlace,
  write: (staging: Staging) => Promise<StagedModel>,
): Promise<ModelManifest> {
  const staging = await takeStaging(place, (leftOver) => removeReplaced(path, leftOver));
  try {
    await removeUnlisted(path, []);
    const { folder, manifest } = await write(staging);
    const listed = await filesListed(path, MANIFEST_FILE);
    const same = await sameFiles(path, manifest, listed);
    const generation = same ?? (await freeGeneration(path, manifest.files));
    const next = generation === '' ? manifest : await checkManifest(inGeneration(manifest, generation), path);
    // The old manifest's names are kept until its files are gone.
    const replaced = JSON.stringify({ files: Object.fromEntries(listed ?? []) });
    await writeFlushed(staging.path, REPLACED, [new TextEncoder().encode(replaced)]);
    await writeFlushed(staging.path, NEXT, [manifestText(next, path)]);
    await staging.assertHeld();
    const files = join(path, generation);
    if (same === undefined) {
      await rename(join(folder, MANIFEST_FILE), join(staging.path, MANIFEST_FILE));
      await rename(folder, files);
    }
    try {
      await flush(path);
      await rename(join(staging.path, NEXT), join(path, MANIFEST_FILE));
    } catch (error) {
      if (same === undefined) await rm(files, { recursive: true, force: true });
      throw error;
    }
    await flush(path).catch(() => undefined);
    // The new model is in place; what is left of the old one is waste, not a failure.
    // A damaged manifest may have listed fewer files than there are.
    const old = [...(listed?.keys() ?? []), ...Object.keys(manifest.files)];
    await removeUnlisted(path, old).catch(() => undefined);
    return next;
  } finally {
    await staging.release().catch(() => undefined);
  }
}

/** Removes the files of a manifest that a killed run replaced, or was about to. */
async function removeReplaced(path: string, leftOver: string): Promise<void> {
  const replaced = await filesListed(leftOver, REPLACED);
  await removeUnlisted(path, replaced?.keys() ?? []);
}

/** The folder in which the manifest's files all are already, whole; undefined without one. */
async function sameFiles(
  path: string,
  { files }: ModelManifest,
  listed: ReadonlyMap<string, unknown> | undefined,
): Promise<string | undefined> {
  if (listed === undefined || listed.size !== Object.keys(files).length) return undefined;
  const folder = generationOf(listed);
  const at = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  if (!Object.keys(files).every((name) => listed.has(at(name)))) return undefined;
  const io = fileSystem(path);
  try {
    for (const [name, record] of Object.entries(files)) await verifyFile(io, at(name), record);
    return folder;
  } catch {
    return undefined;
  }
}
