import type { AutoregressiveModel, TokenSource } from '@foretoken/core';

/** What of a tokenizer a correction needs; those of `@foretoken/models` have it. */
export interface CorrectionTokenizer {
  /** Token ids of a text, the end token last. Throws `SOURCE_TOO_LONG`. */
  encode(text: string): TokenSource;
  decode(tokenIds: ArrayLike<number>): string;
  tokenText(tokenId: number): string;
}

/** A model that was trained to give text back without its mistakes; a folder that `loadModel` of `@foretoken/models` loads. */
export interface CorrectionModel {
  /** Throws `UNSUPPORTED_CAPABILITY` where there is no autoregressive model. */
  part(kind: 'autoregressive'): AutoregressiveModel<TokenSource>;
  readonly tokenizer: CorrectionTokenizer;
}
