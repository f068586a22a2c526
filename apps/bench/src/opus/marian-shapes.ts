/** Sizes of a Marian model whose weights are made up. */
export interface MarianSizes {
  readonly vocabularySize: number;
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
  /** Of the encoder, and of the decoder. */
  readonly layers: number;
  readonly positions: number;
}

/** The models that OPUS-MT publishes most: 6 and 6 layers of width 512. */
export const OPUS_MT: MarianSizes = {
  vocabularySize: 58_101,
  width: 512,
  heads: 8,
  feedForward: 2048,
  layers: 6,
  positions: 512,
};

/** Shape of each tensor by its name, in the layout of Hugging Face. */
export type TensorShapes = Readonly<Record<string, readonly number[]>>;

/** All tensors of a Marian checkpoint whose embeddings are shared and whose positions are sinusoids. */
export function marianTensors({ vocabularySize, width, feedForward, layers }: MarianSizes): TensorShapes {
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  return {
    final_logits_bias: [1, vocabularySize],
    'model.shared.weight': [vocabularySize, width],
    ...Object.assign({}, ...numbers.map((layer) => layerTensors(`model.encoder.layers.${layer}`, width, feedForward))),
    ...Object.assign(
      {},
      ...numbers.map((layer) => ({
        ...layerTensors(`model.decoder.layers.${layer}`, width, feedForward),
        ...attentionTensors(`model.decoder.layers.${layer}.encoder_attn`, width),
      })),
    ),
  };
}

function layerTensors(prefix: string, width: number, feedForward: number): TensorShapes {
  return {
    ...attentionTensors(`${prefix}.self_attn`, width),
    [`${prefix}.fc1.weight`]: [feedForward, width],
    [`${prefix}.fc1.bias`]: [feedForward],
    [`${prefix}.fc2.weight`]: [width, feedForward],
    [`${prefix}.fc2.bias`]: [width],
    ...normTensors(`${prefix}.final_layer_norm`, width),
  };
}

function attentionTensors(prefix: string, width: number): TensorShapes {
  const projections = ['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((part) => [
    [`${prefix}.${part}.weight`, [width, width]] as const,
    [`${prefix}.${part}.bias`, [width]] as const,
  ]);
  return { ...Object.fromEntries(projections), ...normTensors(`${prefix}_layer_norm`, width) };
}

function normTensors(prefix: string, width: number): TensorShapes {
  return { [`${prefix}.weight`]: [width], [`${prefix}.bias`]: [width] };
}
