import type { Tokenizer } from '@huggingface/tokenizers';
import { quote, unsupportedModel } from '../folder/refusal.js';
import { loadCode } from '../load-code.js';
import type { CheckedTokenizer } from './check-tokenizer.js';
import { exactCuts, type Settings } from './exact-cuts.js';
import { exactJoin } from './exact-joins.js';
import { eachPart } from './tokenizer-parts.js';

export { checkUnigram, checkWordPieces } from './own-checks.js';
export { SAFE_PATTERNS } from './safe-patterns.js';

type Decoder = NonNullable<Tokenizer['decoder']>;
type Model = NonNullable<Tokenizer['model']>;

const ofBert = /"BertNormalizer"/;
const ofWords = /"(CTC|BPEDecoder|WordPiece|Strip)"/;

/**
 * What puts right what the library does not do as the original: how texts are stripped, how added tokens are found, how texts are cut, which
 * unknown tokens become one, how tokens are joined and cleaned up, and a first blank that belongs to the text. Throws `UNSUPPORTED_MODEL` for what it leaves out.
 */
export async function mendingOf(
  content: CheckedTokenizer['content'],
  file: string,
): Promise<(tokenizer: Tokenizer) => void> {
  refuseLeftOut(content, file);
  const { pre_tokenizer: cut, decoder: join, normalizer: normal } = content;
  const added = content.added_tokens as readonly Settings[];
  // A text that is one part, taken as it is, needs neither.
  const isWhole = normal === null && added.length === 0;
  const parts = isWhole ? undefined : await loadCode('normalisers and added tokens', () => import('./text-parts.js'));
  const bert = ofBert.test(JSON.stringify(normal))
    ? await loadCode('normalisers of BERT', () => import('./bert-normal.js'))
    : undefined;
  const words = ofWords.test(JSON.stringify(join))
    ? await loadCode('decoders of words', () => import('./word-joins.js'))
    : undefined;
  const mendDecoder = (decoder: Decoder, settings: Settings): void => {
    const exact = exactJoin(settings, words?.wordJoin);
    if (exact !== undefined) decoder.decode_chain = exact;
    if ('decoders' in decoder) eachPart(decoder.decoders, settings.decoders, mendDecoder);
  };
  return (tokenizer) => {
    const { pre_tokenizer: cutter, decoder: joiner, model } = tokenizer;
    if (model?.fuse_unk) fuseWithinWords(model);
    const cuts = cut === null ? undefined : exactCuts(cut as Settings);
    if (cutter !== null && cuts !== undefined) cutter.pre_tokenize = cuts;
    parts?.mendParts(tokenizer, normal as Settings | null, added, cuts, bert?.bertNormal);
    if (joiner === null) return;
    mendDecoder(joiner, join as Settings);
    // Decoders alone say what becomes of the suffix of words.
    joiner.end_of_word_suffix = null;
  };
}

/** Unknown tokens side by side become one within a word; the library makes one of those of neighbours too. */
function fuseWithinWords(model: Model): void {
  const tokensOf = model._call.bind(model);
  model._call = (words: readonly string[]) => words.flatMap((word) => tokensOf([word]));
}

function refuseLeftOut({ model, added_tokens: tokens }: CheckedTokenizer['content'], file: string): void {
  const refuse = (field: string, received: unknown, required: string): never => {
    throw unsupportedModel(
      `${file}: ${field} is ${quote(received)}, which is not supported; supported: ${required}. Export the tokenizer without it.`,
      { file, field, received, required },
    );
  };
  const { type, continuing_subword_prefix: prefix } = Object(model);
  // Byte pairs are joined as if there were none.
  if (type === 'BPE' && prefix) refuse('model.continuing_subword_prefix', prefix, 'null');
  if (type === 'BPE') refuseSomeBytes(Object(model), refuse);
  // They are found inside words too.
  const whole = (tokens as readonly Settings[]).findIndex(({ single_word: isWord }) => isWord === true);
  if (whole >= 0) refuse(`added_tokens[${whole}].single_word`, true, 'false');
}

/** Bytes that no text holds in UTF-8. */
const isNoText = (byte: number): boolean => byte === 0xc0 || byte === 0xc1 || byte > 0xf4;

/** Where some bytes are tokens and others are not, the original puts unknown tokens behind the bytes that follow them. */
function refuseSomeBytes(
  { vocab, byte_fallback: falls, unk_token: unknown }: Settings,
  refuse: (field: string, received: unknown, required: string) => never,
): void {
  if (falls !== true || typeof unknown !== 'string') return;
  const names = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const missing = names.filter((name, byte) => !Object.hasOwn(Object(vocab), name) && !isNoText(byte));
  const isSome = missing.length > 0 && names.some((name) => Object.hasOwn(Object(vocab), name));
  if (isSome) refuse('model.byte_fallback', `true without ${missing[0]}`, 'true with a token of every byte');
}
