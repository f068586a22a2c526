import { textAfterTurn } from '@foretoken/models/internal';
import type { ChatFiles } from '../chat-template.js';
import type { GgufFields } from './gguf-fields.js';
import { KIND } from './gguf-tokenizer.js';

const MARKS: readonly number[] = [KIND.control, KIND.userDefined];

/**
 * The tokens that end outputs, with the one that the chat template writes after the model's message: older files name an end of texts
 * only. llama.cpp knows such tokens by their texts (`<|eot_id|>`, `<|im_end|>` and others); here it is what the model was trained on.
 */
export async function withTurnEnd(
  ends: readonly number[],
  fields: GgufFields,
  chat: ChatFiles | undefined,
): Promise<readonly number[]> {
  const after = chat && (await textAfterTurn(chat.template, chat.tokens));
  if (after === undefined) return ends;
  const rest = after.trimStart();
  const kinds = fields.numbers('tokenizer.ggml.token_type') ?? [];
  let end = -1;
  let length = 0;
  for (const [id, token] of (fields.texts('tokenizer.ggml.tokens') ?? []).entries()) {
    if (token.length <= length || !MARKS.includes(kinds[id]) || !rest.startsWith(token)) continue;
    end = id;
    length = token.length;
  }
  return end < 0 || ends.includes(end) ? ends : [...ends, end];
}
