/** A file of a model folder, opened to be read once from its beginning. */
export interface OpenedFile {
  /** Its size in bytes, where that is known before it is read. */
  readonly bytes: number | undefined;
  /** Its content; each piece is good until the next is asked for. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Ends the reading, wherever it is. */
  close(): Promise<void>;
}

/** SHA-256 of content that comes in pieces. */
export interface Hasher {
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
  /** Where a file of the folder is, for messages; `file` is a plain relative name. */
  pathOf(file: string): string;
  /**
   * Opens a file, named by a plain relative name. Throws `INVALID_MODEL_FOLDER` where there is none, or the reason of `signal`.
   * Whoever calls closes what it gives.
   */
  open(file: string, signal?: AbortSignal): Promise<OpenedFile>;
  /** SHA-256 in pieces; without it WebCrypto is given whole files. */
  hasher?(): Hasher;
}
