/** Parts of a variable that transformers keeps as tensors of their own, one above the other. */
const LINEARS: readonly (readonly [variable: string, tensors: readonly string[]])[] = [
  ['self_attention/linear_0', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
  ['self_attention/linear_1', ['self_attn.out_proj']],
  ['attention/linear_0', ['encoder_attn.q_proj']],
  ['attention/linear_1', ['encoder_attn.k_proj', 'encoder_attn.v_proj']],
  ['attention/linear_2', ['encoder_attn.out_proj']],
  ['ffn/linear_0', ['fc1']],
  ['ffn/linear_1', ['fc2']],
];
const NORMS: Readonly<Record<string, string>> = {
  'self_attention/layer_norm': 'self_attn_layer_norm',
  'attention/layer_norm': 'encoder_attn_layer_norm',
  'ffn/layer_norm': 'final_layer_norm',
};

/** What transformers calls the parts of a variable; `outside` has those that are in no layer, by what follows the side's name. */
export function tensorNames(name: string, outside: Readonly<Record<string, string>>): readonly string[] | undefined {
  const [side, ...path] = name.split('/');
  if (side !== 'encoder' && side !== 'decoder') return undefined;
  const layer = /^layer_(\d{1,3})$/.exec(path[0] ?? '')?.[1];
  if (layer === undefined) {
    const rest = path.join('/');
    return Object.hasOwn(outside, rest) ? [`model.${side}.${outside[rest]}`] : undefined;
  }
  const [kind, part] = [path.slice(1, -1).join('/'), path.at(-1)];
  const prefix = `model.${side}.layers.${Number(layer)}`;
  const norm = Object.hasOwn(NORMS, kind) ? NORMS[kind] : undefined;
  if (norm !== undefined && (part === 'gamma' || part === 'beta')) {
    return [`${prefix}.${norm}.${part === 'gamma' ? 'weight' : 'bias'}`];
  }
  if (part !== 'weight' && part !== 'bias') return undefined;
  return LINEARS.find(([variable]) => variable === kind)?.[1].map((tensor) => `${prefix}.${tensor}.${part}`);
}
