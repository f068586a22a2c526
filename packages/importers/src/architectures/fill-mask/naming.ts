import type { LayerNames } from '../../blocks/transformer-layers.js';

/** What a kind of checkpoint calls the parts of the network. */
export interface Naming {
  readonly embeddings: string;
  /** What the number of a layer follows. */
  readonly layers: string;
  readonly layer: LayerNames;
  /** The layer before the scores, its norm, and the table of the scores where it is no other's. */
  readonly head: { readonly dense: string; readonly norm: string; readonly table: string };
  /** The bias of the scores, which was saved under one of these. */
  readonly bias: readonly string[];
}

/** Layers of the original and of most that came after. */
const LAYER: LayerNames = {
  selfAttention: 'attention',
  selfAttentionNorm: 'attention.output.LayerNorm',
  // There is no source.
  crossAttention: '',
  crossAttentionNorm: '',
  projections: { query: 'self.query', key: 'self.key', value: 'self.value', out: 'output.dense' },
  feedForward: { up: 'intermediate.dense', down: 'output.dense' },
  feedForwardNorm: 'output.LayerNorm',
};

export const OF_BERT: Naming = {
  embeddings: 'bert.embeddings',
  layers: 'bert.encoder.layer',
  layer: LAYER,
  head: {
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    table: 'cls.predictions.decoder.weight',
  },
  bias: ['cls.predictions.bias', 'cls.predictions.decoder.bias'],
};

export const OF_ROBERTA: Naming = {
  embeddings: 'roberta.embeddings',
  layers: 'roberta.encoder.layer',
  layer: LAYER,
  head: { dense: 'lm_head.dense', norm: 'lm_head.layer_norm', table: 'lm_head.decoder.weight' },
  bias: ['lm_head.bias', 'lm_head.decoder.bias'],
};

export const OF_DISTILBERT: Naming = {
  embeddings: 'distilbert.embeddings',
  layers: 'distilbert.transformer.layer',
  layer: {
    ...LAYER,
    selfAttentionNorm: 'sa_layer_norm',
    projections: { query: 'q_lin', key: 'k_lin', value: 'v_lin', out: 'out_lin' },
    feedForward: { up: 'ffn.lin1', down: 'ffn.lin2' },
    feedForwardNorm: 'output_layer_norm',
  },
  head: { dense: 'vocab_transform', norm: 'vocab_layer_norm', table: 'vocab_projector.weight' },
  bias: ['vocab_projector.bias'],
};
