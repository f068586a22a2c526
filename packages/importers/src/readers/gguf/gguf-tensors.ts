import { halvesApart } from '../halves-apart.js';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { ROPE_FACTORS } from './gguf-config.js';
import type { GgufFields } from './gguf-fields.js';
import { GGUF_ARCHITECTURES, LAYER_TENSORS } from './gguf-names.js';
import type { GgufFile } from './open-gguf.js';

const NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** A file's tensors by the names that transformers has for them, and the names in the file. */
export interface RenamedTensors {
  readonly tensors: TensorStore;
  readonly fileNames: ReadonlyMap<string, string>;
}

/**
 * The tensors of a model, as transformers has them. Files of some architectures have the rows of queries and keys in an
 * order of their own, for rotary positions of neighbouring numbers; that is undone.
 */
export function renamedTensors(
  { tensors }: GgufFile,
  architecture: string,
  heads: { readonly query: number; readonly key: number },
): RenamedTensors {
  const { paired } = GGUF_ARCHITECTURES[architecture];
  const named = new Map<string, StoredTensor>();
  const fileNames = new Map<string, string>();
  for (const [fileName, tensor] of tensors) {
    const name = nameOf(fileName);
    if (name === undefined) continue;
    const part = /\.attn_([qk])\.(weight|bias)$/.exec(fileName)?.[1];
    const count = part === 'q' ? heads.query : heads.key;
    const reordered = paired && part !== undefined;
    named.set(name, { ...(reordered ? halvesApart(tensor, count) : tensor), ownName: fileName });
    fileNames.set(name, fileName);
  }
  return { tensors: named, fileNames };
}

/** Refuses tensors that nothing here reads: the model would compute something else without them. Throws `UNSUPPORTED_MODEL`. */
export function refuseOtherTensors(
  fields: GgufFields,
  { tensors }: GgufFile,
  architecture: string,
  layers: number,
): void {
  const groups = GGUF_ARCHITECTURES[architecture].optional.filter(([first]) => tensors.has(`blk.0.${first}`));
  const parts = new Set([...LAYER_TENSORS, ...groups.flat()]);
  for (const name of tensors.keys()) {
    const [, layer, part] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
    const isRead =
      part === undefined
        ? Object.hasOwn(NAMES, name) || name === ROPE_FACTORS
        : Number(layer) < layers && parts.has(part);
    if (isRead) continue;
    const known = part === undefined ? [...Object.keys(NAMES), ROPE_FACTORS] : [...parts];
    const where = part === undefined ? '' : ` in each of ${layers} layers`;
    fields.unsupported(`tensor ${JSON.stringify(name)}`, 'there', `for ${architecture}, ${known.join(', ')}${where}`);
  }
}

function nameOf(fileName: string): string | undefined {
  const [, layer, part, kind] = /^blk\.(0|[1-9]\d{0,2})\.([a-z_]+)\.(weight|bias)$/.exec(fileName) ?? [];
  if (layer === undefined || part === undefined) return NAMES[fileName];
  const name = Object.hasOwn(LAYER_NAMES, part) ? LAYER_NAMES[part] : undefined;
  return name && `model.layers.${layer}.${name}.${kind}`;
}
