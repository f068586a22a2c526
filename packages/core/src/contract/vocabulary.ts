/** The token ids a decoder must know about; every id lies in `[0, size)`. */
export interface Vocabulary {
  /** Number of token ids, special tokens included. */
  readonly size: number;
  /** Ends a hypothesis; never part of `Hypothesis.tokenIds`. */
  readonly endTokenId: number;
  /** Fills ragged batches, where the model has one. */
  readonly padTokenId?: number | undefined;
  /** Stands for text the tokenizer cannot express, where the model has one. */
  readonly unknownTokenId?: number | undefined;
}

/** Source of a text model: token ids `[time]`, int32, the end token included where the encoder expects one. */
export type TokenSource = Int32Array;
