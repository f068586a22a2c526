/**
 * The encoder's result for a batch of sources, kept so that several models can read it.
 *
 * Owned by whoever called `encode`; release it with `dispose`. A model that was opened with it holds its own reference.
 */
export interface SourceEncoding {
  /** Number of source rows. */
  readonly rows: number;
  /** The encoding of some of its rows, in the order given, where the encoder can tell it; to be disposed of as well. */
  part?(rows: readonly number[]): SourceEncoding;
  /** Releases what was computed; a second call does nothing. */
  dispose(): void;
}

/**
 * An encoder that several models share: a draft model and its target that name the same encoder object are opened with
 * one `SourceEncoding`, so the source is encoded once.
 */
export interface SourceEncoder<Source> {
  /** Encodes all rows together. Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`. */
  encode(sources: readonly Source[], signal?: AbortSignal): Promise<SourceEncoding>;
}

/** What the sources of a model are opened with. */
export interface OpenOptions {
  /** Result of this model's own `encoder` for the same sources; without it the model encodes for itself. */
  readonly encoding?: SourceEncoding | undefined;
  /** Stops the opening, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
