/** The token ids a decoder must know about; every id lies in `[0, size)`. */
export interface Vocabulary {
  /** Number of token ids, special tokens included. */
  readonly size: number;
  /**
   * Ends a hypothesis; never part of `Hypothesis.tokenIds`. Absent where outputs do not end by a token: they end by a limit, a
   * stop, or with the lattice or canvas.
   */
  readonly endTokenId?: number | undefined;
  /** Fills ragged batches, where the model has one. */
  readonly padTokenId?: number | undefined;
  /** Stands for text the tokenizer cannot express, where the model has one. */
  readonly unknownTokenId?: number | undefined;
}

/** A vocabulary with an end token. */
export interface EndedVocabulary extends Vocabulary {
  readonly endTokenId: number;
}

/** Source of a text model: token ids `[time]`, int32, the end token included where the encoder expects one. */
export type TokenSource = Int32Array;
