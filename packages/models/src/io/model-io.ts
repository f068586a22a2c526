import { anything, type OptionTable, signal as readSignal } from '@foretoken/core/kit';
import type { FileRecord } from '../folder/manifest.js';

/** What a file of a model folder is opened with. */
export interface OpenOptions {
  /** Size and digest the file is to have; absent for the manifest. */
  readonly record?: FileRecord | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const OPEN_OPTIONS: OptionTable<OpenOptions> = { record: anything, signal: readSignal };

/** A file of a model folder, opened to be read once from its beginning. */
export interface OpenedFile {
  /** Its size in bytes, where that is known for certain before it is read. */
  readonly bytes?: number | undefined;
  /** Its content; each piece is good until the next is asked for. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Of a copy that an earlier load kept: removes it, so that the file is read from its source when it is opened again. */
  forget?(): Promise<void>;
  /** Keeps the content for later loads; called once it was found to be as its record says. It must not throw. */
  keep?(content: Uint8Array): Promise<void>;
  /** Ends the reading, wherever it is. */
  close(): Promise<void>;
}

/** SHA-256 of content that comes in pieces. */
export interface Hasher {
  /** Takes the next bytes. */
  update(piece: Uint8Array): void;
  /** The digest in hexadecimal, in lower case. */
  digest(): string;
}

/**
 * Where the files of one model folder are read from: a file system, a server, memory. Whoever reads checks sizes and digests, so an
 * `io` need not.
 */
export interface ModelIo {
  /** The folder's path or URL, for messages. */
  readonly folder: string;
  /**
   * Reading a file again costs a download: all files are then read together, and kept in memory until the model is loaded (default
   * false).
   */
  readonly remote?: boolean | undefined;
  /** Where a file of the folder is, for messages; `file` is a plain relative name. */
  pathOf(file: string): string;
  /**
   * Opens a file, named by a plain relative name. Throws `INVALID_MODEL_FOLDER` where there is none, with `received: 'missing'` and
   * the `file` in its details, so that a folder without a manifest can be told from one that cannot be read; `NETWORK_FAILURE`; or
   * the signal's reason. Whoever calls closes what it gives.
   */
  open(file: string, options?: OpenOptions): Promise<OpenedFile>;
  /** SHA-256 in pieces; without it WebCrypto is given whole files. */
  hasher?(): Hasher;
}
