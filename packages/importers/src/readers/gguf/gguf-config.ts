import type { FieldOrigin } from '@foretoken/models/internal';
import type { GgufFields } from './gguf-fields.js';
import { GGUF_ARCHITECTURES } from './gguf-names.js';
import type { GgufFile } from './open-gguf.js';

/** The tensor that says how much each pair of a head's numbers turns slower. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** What other models of the same form compute beside it, and what says that they do not. */
const NOT_COMPUTED: readonly (readonly [name: string, ...neutral: unknown[]])[] = [
  ['attention.causal', true],
  ['attention.clamp_kqv', 0],
  ['attention.scale', 0],
  ['attention.temperature_scale', 0],
  ['attn_logit_softcapping', 0],
  ['final_logit_softcapping', 0],
  ['embedding_scale', 0, 1],
  ['residual_scale', 0, 1],
  ['logit_scale', 0, 1],
  ['rope.scaling.attn_factor', 0, 1],
];

/** Such a config, with what is used of it before any network is read. */
export interface GgufConfig extends Readonly<Record<string, unknown>> {
  readonly vocab_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly eos_token_id: readonly number[];
}

/**
 * What a file's metadata and tensors say of its model, as config.json of transformers says it. `ropeFactors` are the values of
 * `ROPE_FACTORS`, where it is there. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function ggufConfig(
  fields: GgufFields,
  { tensors }: GgufFile,
  ropeFactors: readonly number[] | undefined,
): GgufConfig {
  const architecture = architectureOf(fields);
  const own = (key: string): string => `${architecture}.${key}`;
  const heads = fields.sameInteger(own('attention.head_count'), 1, 1024);
  const width = fields.integer(own('embedding_length'), 2, 65_536);
  const keyLength = own('attention.key_length');
  const headWidth = fields.integer(keyLength, 2, 4096, width / heads);
  if (fields.integer(own('attention.value_length'), 2, 4096, headWidth) !== headWidth) {
    fields.unsupported(own('attention.value_length'), 'another than key_length', `key_length, ${headWidth}`);
  }
  const turned = fields.integer(own('rope.dimension_count'), 1, 4096, headWidth);
  if (turned !== headWidth) fields.unsupported(own('rope.dimension_count'), turned, `the heads' width, ${headWidth}`);
  if (fields.integer(own('expert_count'), 0, 65_536, 0) > 0) {
    fields.unsupported(own('expert_count'), fields.integer(own('expert_count'), 0, 65_536), 'models without experts');
  }
  for (const [name, ...neutral] of NOT_COMPUTED) {
    const key = own(name);
    const value = fields.value(key);
    if (value !== undefined && !neutral.includes(value)) fields.unsupported(key, value, neutral.join(' or '));
  }
  const window = own('attention.sliding_window');
  const has = (name: string): boolean => tensors.has(name);
  return {
    model_type: GGUF_ARCHITECTURES[architecture].type,
    vocab_size: vocabularySize(fields, tensors),
    hidden_size: width,
    num_hidden_layers: fields.integer(own('block_count'), 1, 256),
    num_attention_heads: heads,
    num_key_value_heads: fields.sameInteger(own('attention.head_count_kv'), 1, heads, heads),
    head_dim: headWidth,
    intermediate_size: fields.sameInteger(own('feed_forward_length'), 1, 1_000_000),
    max_position_embeddings: fields.integer(own('context_length'), 1, 100_000_000),
    rms_norm_eps: fields.number(own('attention.layer_norm_rms_epsilon'), 0, 1),
    rope_theta: fields.number(own('rope.freq_base'), 1, 1e12, 10_000),
    rope_scaling: ropeScaling(fields, own, ropeFactors),
    // Whoever names a window uses it.
    sliding_window: fields.has(window) ? fields.integer(window, 1, 100_000_000) : null,
    use_sliding_window: fields.has(window),
    attention_bias: has('blk.0.attn_q.bias'),
    mlp_bias: has('blk.0.ffn_gate.bias'),
    tie_word_embeddings: !has('output.weight'),
    eos_token_id: endTokens(fields),
    pad_token_id: padToken(fields),
  };
}

/** What metadata and tensors are called that say the fields of such a config. */
export function ggufOrigins(fields: GgufFields): Readonly<Record<string, FieldOrigin>> {
  const architecture = architectureOf(fields);
  const names = {
    model_type: 'general.architecture',
    vocab_size: 'tensor "token_embd.weight"',
    hidden_size: `${architecture}.embedding_length`,
    num_hidden_layers: `${architecture}.block_count`,
    num_attention_heads: `${architecture}.attention.head_count`,
    num_key_value_heads: `${architecture}.attention.head_count_kv`,
    head_dim: `${architecture}.${fields.has(`${architecture}.attention.key_length`) ? 'attention.key_length' : 'embedding_length'}`,
    intermediate_size: `${architecture}.feed_forward_length`,
    max_position_embeddings: `${architecture}.context_length`,
    rms_norm_eps: `${architecture}.attention.layer_norm_rms_epsilon`,
    rope_theta: `${architecture}.rope.freq_base`,
    rope_scaling: `${architecture}.rope.scaling.type`,
    'rope_scaling.factor': `${architecture}.rope.scaling.factor`,
    'rope_scaling.factors': `tensor "${ROPE_FACTORS}"`,
    sliding_window: `${architecture}.attention.sliding_window`,
    eos_token_id: 'tokenizer.ggml.eos_token_id',
    pad_token_id: 'tokenizer.ggml.padding_token_id',
  };
  return Object.fromEntries(Object.entries(names).map(([name, field]) => [name, { field }]));
}

/** The architecture of a file, one that is read. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function architectureOf(fields: GgufFields): string {
  const architecture = fields.text('general.architecture');
  const parts = fields.integer('split.count', 0, 65_536, 1);
  if (parts > 1) {
    fields.unsupported('split.count', parts, 'one file; join the parts with llama-gguf-split --merge');
  }
  if (architecture !== undefined && Object.hasOwn(GGUF_ARCHITECTURES, architecture)) return architecture;
  return fields.unsupported('general.architecture', architecture, Object.keys(GGUF_ARCHITECTURES).join(', '));
}

function vocabularySize(fields: GgufFields, tensors: GgufFile['tensors']): number {
  const name = 'token_embd.weight';
  const shape = tensors.get(name)?.shape;
  if (shape?.length === 2 && shape[0] >= 3 && shape[0] <= 1_000_000) return shape[0];
  return fields.refuse(`tensor "${name}"`, shape, 'a matrix with a row for each of 3 to 1000000 tokens');
}

function ropeScaling(
  fields: GgufFields,
  own: (key: string) => string,
  factors: readonly number[] | undefined,
): Readonly<Record<string, unknown>> | null {
  const key = own('rope.scaling.type');
  // A factor alone is one of linear scaling, as llama.cpp reads it; older files have it by another name.
  const old = own('rope.scale_linear');
  const factor = fields.has(own('rope.scaling.factor')) || !fields.has(old) ? own('rope.scaling.factor') : old;
  const type = fields.text(key) ?? (fields.has(factor) && fields.number(factor, 0, 1e6) > 0 ? 'linear' : 'none');
  if (factors !== undefined) {
    if (type !== 'none') fields.unsupported(key, type, `none, beside the tensor ${ROPE_FACTORS}`);
    return { rope_type: 'factors', factors };
  }
  if (type === 'none') return null;
  if (type === 'linear') return { rope_type: type, factor: fields.number(factor, 1, 1e6) };
  return fields.unsupported(key, type, 'none, linear');
}

/** The end token first, then what ends turns and messages. */
function endTokens(fields: GgufFields): readonly number[] {
  return ['eos', 'eot', 'eom'].flatMap((name) => {
    const key = `tokenizer.ggml.${name}_token_id`;
    return fields.has(key) ? [fields.integer(key, 0, 999_999)] : [];
  });
}

function padToken(fields: GgufFields): number | null {
  const key = 'tokenizer.ggml.padding_token_id';
  return fields.has(key) ? fields.integer(key, 0, 999_999) : null;
}
