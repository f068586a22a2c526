const INNER_BIASES = ['attn_q.bias', 'attn_k.bias', 'attn_v.bias'];
const FORWARD_BIASES = ['ffn_gate.bias', 'ffn_up.bias', 'ffn_down.bias'];
const HEAD_NORMS = ['attn_q_norm.weight', 'attn_k_norm.weight'];

/** What GGUF files call the architectures that are read. */
export const GGUF_ARCHITECTURES: Readonly<
  Record<
    string,
    {
      /** What transformers calls it. */
      readonly type: string;
      /** Rows of queries and keys lie as pairs of a real and an imaginary part. */
      readonly paired: boolean;
      /** Tensors of a layer, beside those that all have, where the file has the first of them. */
      readonly optional: readonly (readonly string[])[];
    }
  >
> = {
  llama: { type: 'llama', paired: true, optional: [[...INNER_BIASES, 'attn_output.bias'], FORWARD_BIASES] },
  qwen2: { type: 'qwen2', paired: false, optional: [INNER_BIASES] },
  qwen3: { type: 'qwen3', paired: false, optional: [[...INNER_BIASES, 'attn_output.bias'], HEAD_NORMS] },
};

/** Tensors that every layer has. */
export const LAYER_TENSORS: readonly string[] = [
  'attn_norm',
  'attn_q',
  'attn_k',
  'attn_v',
  'attn_output',
  'ffn_norm',
  'ffn_gate',
  'ffn_up',
  'ffn_down',
].map((name) => `${name}.weight`);

/** What files call byte pairs whose merges are listed (`tokenizer.ggml.model`). */
export const BYTE_PAIRS = 'gpt2';
/** What files call pairs whose scores say the order of merges. */
export const SCORED_PAIRS = 'llama';

const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN_2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const byteLevel = (use_regex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});
const sequence = (...pretokenizers: readonly object[]) => ({ type: 'Sequence', pretokenizers });
const split = (pattern: string) =>
  sequence({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevel(false));

/** How texts are cut before bytes are joined, by what files call it (`tokenizer.ggml.pre`). */
export const CUTS: Readonly<
  Record<
    string,
    {
      readonly cut: object;
      readonly normalizer?: object | undefined;
      readonly whole?: boolean | undefined;
      /** Texts begin with the start token where the file does not say. */
      readonly starts?: boolean | undefined;
    }
  >
> = {
  'gpt-2': { cut: byteLevel(true) },
  smollm: { cut: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)) },
  'llama-bpe': { cut: split(LLAMA_3), whole: true, starts: true },
  llama3: { cut: split(LLAMA_3), whole: true, starts: true },
  qwen2: { cut: split(QWEN_2), normalizer: { type: 'NFC' } },
};
