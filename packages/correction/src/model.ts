import type { AutoregressiveModel, TokenSource } from '@foretoken/core';
import { hasMethods, isInt32Array, isOfKind, text as readText, wrongValue } from '@foretoken/core/kit';

/** What of a tokenizer a correction needs; those of `@foretoken/models` have it. */
export interface CorrectionTokenizer {
  /** Token ids of a text, the end token last. Throws `SOURCE_TOO_LONG`. */
  encode(text: string): TokenSource;
  /** Text of token ids, special tokens left out. */
  decode(tokenIds: ArrayLike<number>): string;
  /** One token as the vocabulary spells it. */
  tokenText(tokenId: number): string;
}

/** A model that was trained to give text back without its mistakes; a folder that `loadModel` of `@foretoken/models` loads. */
export interface CorrectionModel {
  /** Throws `UNSUPPORTED_CAPABILITY` where there is no autoregressive model. */
  part(kind: 'autoregressive'): AutoregressiveModel<TokenSource>;
  readonly tokenizer: CorrectionTokenizer;
}

/** What was checked of a model's tokenizer, so that what is known of its tokens is known for all texts. */
const CHECKED = new WeakMap<CorrectionTokenizer, CorrectionTokenizer>();

/** The model's autoregressive part. Throws `INVALID_ARGUMENT` for what is no model, and what `part` throws. */
export function targetOf(model: CorrectionModel): AutoregressiveModel<TokenSource> {
  if (!hasMethods(model, 'part')) {
    throw wrongValue('model', model, 'a loaded model, or an object with part and tokenizer');
  }
  const target: unknown = model.part('autoregressive');
  if (isOfKind('autoregressive', target)) return target as AutoregressiveModel<TokenSource>;
  throw wrongValue('What model.part returns', target, 'an autoregressive model');
}

/** The model's tokenizer, which throws `INVALID_ARGUMENT` where it answers with something else than it should, such as a promise. */
export function tokenizerOf({ tokenizer }: CorrectionModel): CorrectionTokenizer {
  if (!hasMethods(tokenizer, 'encode', 'decode', 'tokenText')) {
    throw wrongValue('model.tokenizer', tokenizer, 'an object with encode, decode and tokenText');
  }
  const known = CHECKED.get(tokenizer);
  if (known !== undefined) return known;
  const checked: CorrectionTokenizer = {
    encode(text) {
      const source: unknown = tokenizer.encode(text);
      if (isInt32Array(source)) return source;
      throw wrongValue('What model.tokenizer.encode returns', source, 'an Int32Array of token ids');
    },
    decode: (tokenIds) => readText('What model.tokenizer.decode returns', tokenizer.decode(tokenIds)),
    tokenText: (tokenId) => readText('What model.tokenizer.tokenText returns', tokenizer.tokenText(tokenId)),
  };
  CHECKED.set(tokenizer, checked);
  return checked;
}
