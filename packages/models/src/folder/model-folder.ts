import type { ExportPrecisions } from './export-precisions.js';
import type { ModelManifest } from './manifest.js';

/** A model folder whose files all had the size and digest their manifest states when it was opened. */
export interface ModelFolder {
  /** Absolute path, symbolic links resolved; or the folder's URL. */
  readonly path: string;
  /** What it says of itself, checked. */
  readonly manifest: ModelManifest;
  /** Absolute path or URL of a listed file. Throws `INVALID_MODEL_FOLDER` for a name the manifest does not list. */
  filePath(name: string): string;
  /**
   * Content of a listed file, not to be changed: its size and digest are checked again on the bytes returned, unless they are those
   * that were checked. Throws `INVALID_MODEL_FOLDER` where it is no longer the file that was verified when the folder was opened,
   * `NETWORK_FAILURE`.
   */
  readBytes(name: string): Promise<Uint8Array>;
  /** As `readBytes`, decoded. */
  readText(name: string): Promise<string>;
  /** Frees the memory of files that were downloaded or kept; what is read later is read or downloaded, or taken from a cache, again. */
  release(): void;
}

/** What has been read of a folder so far. */
export interface ReadProgress {
  /** The file that bytes came of. */
  readonly file: string;
  /** Whether they were kept by an earlier load. */
  readonly cached: boolean;
  /** Bytes of all files that were read and that there are. */
  readonly bytes: number;
  /** Bytes of all files that there are. */
  readonly totalBytes: number;
}

/** What is told while a folder is opened, and what stops it. */
export interface OpenFolderOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  /**
   * Keeps the content of a small folder's files until `release`, so that each is read and verified once. Whoever sets it calls
   * `release`.
   */
  readonly keep?: boolean | undefined;
  /** Of a folder of an exporter, which holds graphs of several: which of them. */
  readonly precision?: ExportPrecisions | undefined;
}

/** A manifest whose files are as it says, and the content of those that are kept. */
export interface VerifiedFolder {
  readonly manifest: ModelManifest;
  readonly contents: Map<string, Uint8Array>;
}
