import type { ForetokenError, TokenSource, Vocabulary } from '@foretoken/core';
import { assertInteger } from '@foretoken/core/kit';
import { Tokenizer } from '@huggingface/tokenizers';
import { parseJson } from '../folder/json.js';
import { invalidFolder, reason } from '../folder/refusal.js';
import { loadCode } from '../load-code.js';
import { checkTokenizer } from './check-tokenizer.js';
import { readTokens, type TokenReader } from './read-tokens.js';
import { assertSourceText, assertSourceTokens, emptySource, tooMuchAtOnce } from './source-text.js';
import { type TextUse, textUse } from './text-use.js';

/** Characters of a text that a sound tokenizer takes on any stack. */
const MAX_SURE_LENGTH = 10_000;

/** What the library does otherwise than the original, and expressions that must be known; words that may begin with an unknown token. */
const ODD =
  /^(?![\s\S]*"\u2581":)|"(Regex|Unigram|WordPiece|Strip|CTC|BPEDecoder|Lowercase|BertNormalizer|ByteFallback|ByteLevel)"|(word|prefix|suffix|scheme|strip|fallback)": *("(?!fi|al)|true)|prefix_space": *false|[^"](\u2581|\\u2581)|", *"(\u2581|\\u2581)|" [^": ,\]}\s]/;

/** Turns text into token ids of one model's vocabulary, and back. */
export interface TextTokenizer extends TokenReader {
  /**
   * Token ids of a text `[time]`, as a `source` unless said otherwise; text that spells a special token becomes that token.
   *
   * Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG` (nothing is ever cut off), `INVALID_ARGUMENT`.
   */
  encode(text: string, use?: TextUse): TokenSource;
}

/** What a tokenizer is opened with. */
export interface TokenizerOptions {
  readonly vocabulary: Vocabulary;
  /** Most tokens of a source, the end token included. */
  readonly sourceLength: number;
  /** Name of the file in messages (default tokenizer.json). */
  readonly file?: string | undefined;
}

/**
 * Reads a tokenizer.json. It is untrusted: unknown parts, sizes out of proportion and regular expressions that could hang
 * are refused, and its token ids must lie inside the model's vocabulary.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`.
 */
export async function createTokenizer(json: string, options: TokenizerOptions): Promise<TextTokenizer> {
  const { vocabulary, sourceLength, file = 'tokenizer.json' } = options;
  assertInteger('sourceLength', sourceLength, 1, 65_536);
  const parsed = parseJson(json, file);
  // The library cuts as the original does by Metaspace alone.
  const { type = 'Metaspace' } = Object(Object(parsed).pre_tokenizer);
  const own =
    type !== 'Metaspace' || ODD.test(json)
      ? await loadCode('tokenizers', () => import('./mend-tokenizer.js'))
      : undefined;
  const { content, specialTokenIds } = checkTokenizer(parsed, vocabulary.size, file, own);
  const mend = await own?.mendingOf(content, file);
  const broken = (what: string, field: string, cause?: unknown): ForetokenError =>
    invalidFolder(`${file}: ${what}. Fetch or export the tokenizer again.`, { file, field }, cause);
  let tokenizer: Tokenizer;
  let added: number;
  try {
    tokenizer = new Tokenizer(content, {});
    mend?.(tokenizer);
    added = tokenizer.encode('').ids.length;
  } catch (cause) {
    throw broken(`the tokenizer cannot be used: ${reason(cause)}`, 'the whole file', cause);
  }
  const checkRole = (role: string, tokenId: number | undefined): void => {
    if (tokenId === undefined || tokenizer.id_to_token(tokenId) !== undefined) return;
    throw broken(`it has no token ${tokenId}, which the manifest says is the ${role}`, `vocabulary.${role}`);
  };
  checkRole('endTokenId', vocabulary.endTokenId);
  checkRole('unknownTokenId', vocabulary.unknownTokenId);
  const unknown = tokenizer.model?.unk_token;
  const unknownTokenId = typeof unknown === 'string' ? tokenizer.token_to_id(unknown) : undefined;
  if (unknownTokenId !== undefined && ![undefined, unknownTokenId].includes(vocabulary.unknownTokenId)) {
    throw broken(
      `its unknown token is ${unknownTokenId}, but the manifest says ${vocabulary.unknownTokenId}`,
      'vocabulary.unknownTokenId',
    );
  }
  const hidden = new Set([...specialTokenIds, vocabulary.endTokenId, vocabulary.padTokenId]);

  const encode = (text: string, use: TextUse = 'source'): TokenSource => {
    assertSourceText(text, sourceLength);
    textUse('use', use);
    const around = use === 'source' || use === 'prompt';
    let ids: readonly (number | undefined)[];
    try {
      ids = tokenizer.encode(text, { add_special_tokens: around }).ids;
    } catch (cause) {
      // The library hands long lists on as so many arguments; what it does with short texts is the folder's fault.
      if (cause instanceof RangeError && text.length > MAX_SURE_LENGTH) throw tooMuchAtOnce(text.length, cause);
      throw broken(`the tokenizer failed on a text of ${text.length} characters: ${reason(cause)}`, 'model', cause);
    }
    const strange = ids.findIndex((id) => !Number.isInteger(id));
    if (strange >= 0) throw broken('the tokenizer made a token that has no id', 'model.unk_token');
    if (ids.length <= (around ? added : 0)) throw emptySource(text);
    const { endTokenId } = vocabulary;
    const ended =
      use !== 'source' || endTokenId === undefined || ids.at(-1) === endTokenId ? ids : [...ids, endTokenId];
    // How long outputs may be, strategies and models say.
    if (use !== 'output') assertSourceTokens(ended.length, sourceLength);
    return Int32Array.from(ended as readonly number[]);
  };

  return {
    encode,
    ...readTokens({
      size: vocabulary.size,
      hidden,
      unknownTokenId: vocabulary.unknownTokenId,
      spelling: (tokenId) => tokenizer.id_to_token(tokenId),
      // Not the library's clean-up, which is made for English and would alter "l 'eau" or "a ,b".
      join: (shown) => tokenizer.decode(shown, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    }),
  };
}
