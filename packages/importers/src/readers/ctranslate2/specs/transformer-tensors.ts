import { allocate, type FilePlace, refuseWeights } from '@foretoken/models/internal';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import type { Variable } from '../model-header.js';
import type { ModelBin } from '../open-model-bin.js';
import { tensorNames } from './layer-names.js';
import { sinusoids, zeros } from './made-tensors.js';
import { setParts } from './spec-variables.js';

export const SIDES = ['encoder', 'decoder'] as const;
export type Side = (typeof SIDES)[number];

/** Sizes that tensors are given which the file has otherwise, or not at all. */
export interface TransformerShape {
  readonly width: number;
  readonly positions: number;
  /** Tokens of sources and of outputs, the one that stands for no token among them. */
  readonly sources: number;
  readonly targets: number;
  /** Whether both sides have one table, and whether that of outputs scores states. */
  readonly shared: boolean;
  readonly tied: boolean;
}

const OUTSIDE: Readonly<Record<string, string>> = {
  'layer_norm/gamma': 'layer_norm.weight',
  'layer_norm/beta': 'layer_norm.bias',
  'layernorm_embedding/gamma': 'layernorm_embedding.weight',
  'layernorm_embedding/beta': 'layernorm_embedding.bias',
};
/** Variables that are put together in ways of their own. */
const TABLES =
  /^(?:encoder\/embeddings_0\/weight|decoder\/embeddings\/weight|decoder\/projection\/(?:weight|bias)|(?:en|de)coder\/position_encodings\/encodings)$/;
/** Names that say how a model is computed, or what is computed besides, not what its weights are. */
const SETTINGS =
  /^(?:(?:encoder|decoder)\/(?:num_heads|activation|alibi|alibi_use_positive_positions|scale_alibi|alignment_heads|alignment_layer|pre_norm|scale_embeddings|start_from_zero_embedding|embeddings_merge|multi_query_attention)|.*\/weight_scale)$/;

/** The tensors that a variable holds, none for one that has no name of its own there; undefined for a variable that is not known. */
export function transformerNames(name: string): readonly string[] | undefined {
  return SETTINGS.test(name) || TABLES.test(name) ? [] : tensorNames(name, OUTSIDE);
}

/** The variables of an encoder-decoder by the names of transformers. Throws `INVALID_MODEL_FOLDER`. */
export function transformerTensors(place: FilePlace, file: ModelBin, shape: TransformerShape): TensorStore {
  const { width, positions, sources, targets, shared, tied } = shape;
  const tensors = new Map<string, StoredTensor>();
  const variable = (name: string): Variable => {
    const found = file.variables.get(name);
    if (found === undefined) throw refuseWeights(place, name, 'nothing', 'a variable of this name');
    return found;
  };
  const table = (name: string, rows: number): StoredTensor => {
    const whole = file.rows(variable(name), 0, variable(name).shape[0]);
    return { ...padded(place, whole, rows), ownName: name };
  };
  for (const name of file.variables.keys()) {
    const names = transformerNames(name) ?? [];
    setParts(tensors, place, file, name, names);
    // Linear layers may have no bias.
    if (!name.endsWith('/weight') || file.variables.has(name.replace(/weight$/, 'bias'))) continue;
    for (const own of names) {
      tensors.set(own.replace(/weight$/, 'bias'), zeros(place, [variable(name).shape[0] / names.length]));
    }
  }
  for (const side of SIDES) {
    const name = `${side}/position_encodings/encodings`;
    const given = file.variables.get(name);
    tensors.set(
      `model.${side}.embed_positions.weight`,
      given === undefined ? sinusoids(place, positions, width) : { ...file.rows(given, 0, positions), ownName: name },
    );
  }
  const outputs = table('decoder/embeddings/weight', targets);
  if (shared) tensors.set('model.shared.weight', outputs);
  else {
    tensors.set('model.decoder.embed_tokens.weight', outputs);
    tensors.set('model.encoder.embed_tokens.weight', table('encoder/embeddings_0/weight', sources));
  }
  if (!tied) tensors.set('lm_head.weight', table('decoder/projection/weight', targets));
  if (file.variables.has('decoder/projection/bias')) {
    const bias = table('decoder/projection/bias', targets);
    tensors.set('final_logits_bias', { ...bias, shape: [1, ...bias.shape] });
  }
  return tensors;
}

/** A tensor with rows of zeros behind its own. */
function padded(place: FilePlace, tensor: StoredTensor, rows: number): StoredTensor {
  const [own, ...rest] = tensor.shape;
  if (own === rows) return tensor;
  return {
    ...tensor,
    shape: [rows, ...rest],
    read: async (pace) => {
      const stored = await tensor.read(pace);
      const whole = allocate((stored.length / own) * rows, place);
      whole.set(stored);
      return whole;
    },
  };
}
