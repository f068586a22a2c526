import type { Tokenizer } from '@huggingface/tokenizers';
import { quote, unsupportedModel } from '../folder/refusal.js';
import { addedTokenSplit, stripped } from './added-tokens.js';
import type { CheckedTokenizer } from './check-tokenizer.js';
import { exactCuts, type Settings } from './exact-cuts.js';
import { exactJoin } from './exact-joins.js';

export { checkUnigram, checkWordPieces } from './own-checks.js';
export { SAFE_PATTERNS } from './safe-patterns.js';

/**
 * What puts right what the library does not do as the original: how texts are stripped, how added tokens are found, how texts are cut, how
 * tokens are joined and cleaned up, and a first blank that belongs to the text. Throws `UNSUPPORTED_MODEL` for what it leaves out.
 */
export function mendingOf(content: CheckedTokenizer['content'], file: string): (tokenizer: Tokenizer) => void {
  refuseLeftOut(content, file);
  const { pre_tokenizer: cut, decoder: join, normalizer: normal, added_tokens: added } = content;
  const { type, prepend_scheme: scheme, replacement = '\u2581' } = Object(join);
  return (tokenizer) => {
    const { pre_tokenizer: cutter, decoder: joiner, normalizer, model } = tokenizer;
    if (normalizer !== null) mendNormalizer(normalizer, normal as Settings);
    const cuts = cut === null ? undefined : exactCuts(cut as Settings);
    if (cutter !== null && cuts !== undefined) cutter.pre_tokenize = cuts;
    const split = addedTokenSplit(
      added as readonly Settings[],
      (text) => normalizer?.normalize(text) ?? text,
      (text, isFirst) => model?._call(cuts?.(text, { section_index: isFirst ? 0 : 1 }) ?? [text]) ?? [],
    );
    Object.assign(tokenizer, { encode_text: (text: string | null) => (text === null ? null : split(text)) });
    if (joiner === null) return;
    mendDecoder(joiner, join as Settings);
    // It has replaced the suffix itself.
    if (holds(join, 'BPEDecoder')) joiner.end_of_word_suffix = null;
    if (type !== 'Metaspace' || scheme !== 'never') return;
    joiner.decode_chain = (tokens: string[]) => tokens.map((token) => token.replaceAll(replacement, ' '));
  };
}

type Normalizer = NonNullable<Tokenizer['normalizer']>;
type Decoder = NonNullable<Tokenizer['decoder']>;

function mendNormalizer(
  normalizer: Normalizer,
  { type, strip_left: left, strip_right: right, ...settings }: Settings,
): void {
  if (type === 'Strip') normalizer.normalize = (text: string) => stripped(text, left === true, right === true);
  const { normalizers: parts = [] } = settings;
  if ('normalizers' in normalizer) eachPart(normalizer.normalizers, parts, mendNormalizer);
}

function mendDecoder(decoder: Decoder, settings: Settings): void {
  const join = exactJoin(settings);
  if (join !== undefined) decoder.decode_chain = join;
  if ('decoders' in decoder) eachPart(decoder.decoders, settings.decoders, mendDecoder);
}

/** The library keeps the parts of a sequence in the order of the file. */
function eachPart<Part>(parts: unknown, settings: unknown, mend: (part: Part, own: Settings) => void): void {
  for (const [at, own] of (settings as readonly (Settings | null)[]).entries()) {
    if (own !== null) mend((parts as readonly Part[])[at], own);
  }
}

/** Whether a component, or one of its parts, is of a type. */
function holds(component: unknown, wanted: string): boolean {
  const { type, decoders = [] } = Object(component);
  return type === wanted || (decoders as readonly unknown[]).some((one) => holds(one, wanted));
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
  // They are found inside words too.
  const whole = (tokens as readonly Settings[]).findIndex(({ single_word: isWord }) => isWord === true);
  if (whole >= 0) refuse(`added_tokens[${whole}].single_word`, true, 'false');
}
