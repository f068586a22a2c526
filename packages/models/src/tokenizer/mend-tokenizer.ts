import type { Tokenizer } from '@huggingface/tokenizers';
import { quote, unsupportedModel } from '../folder/refusal.js';
import type { CheckedTokenizer } from './check-tokenizer.js';
import { exactCuts, type Settings } from './exact-cuts.js';

export { checkUnigram, checkWordPieces } from './own-checks.js';
export { SAFE_PATTERNS } from './safe-patterns.js';

/**
 * What puts right what the library does not do as the original: how texts are cut, and a first blank that belongs to the text. Throws
 * `UNSUPPORTED_MODEL` for what it leaves out.
 */
export function mendingOf(content: CheckedTokenizer['content'], file: string): (tokenizer: Tokenizer) => void {
  refuseLeftOut(content, file);
  const { pre_tokenizer: cut, decoder: join } = content;
  const { type, prepend_scheme: scheme, replacement = '\u2581' } = Object(join);
  return ({ pre_tokenizer: cutter, decoder: joiner }) => {
    if (cutter !== null) cutter.pre_tokenize = exactCuts(cut as Settings);
    if (joiner === null || type !== 'Metaspace' || scheme !== 'never') return;
    joiner.decode_chain = (tokens: string[]) => tokens.map((token) => token.replaceAll(replacement, ' '));
  };
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
