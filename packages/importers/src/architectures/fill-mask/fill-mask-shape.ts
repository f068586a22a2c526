import type { Activation } from '../../blocks/activation.js';
import type { LayerShape } from '../../blocks/transformer-layers.js';
import {
  type ConfigFolder,
  configHeads,
  configInteger,
  refuseConfig,
  unsupportedConfig,
} from '../../readers/hugging-face/config-fields.js';
import { configFlag, configNumber } from '../../readers/hugging-face/config-values.js';
import { activationOf } from '../config-activation.js';
import { type Naming, OF_BERT, OF_DISTILBERT, OF_ROBERTA } from './naming.js';

/** A model that fills masks: its sizes, and where its members differ. */
export interface FillMaskShape extends LayerShape {
  readonly vocabularySize: number;
  readonly layers: number;
  /** Positions of a text. */
  readonly positions: number;
  /** Row of the table of positions that the first token of a text has. */
  readonly firstPosition: number;
  /** A token that stands at the row before that one, and is not counted. */
  readonly unplacedTokenId?: number | undefined;
  /** Rows of the table that tells the two texts of a pair apart, of which a single text has the first; 0 where there is none. */
  readonly tokenTypes: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** Of the layer before the scores. */
  readonly headActivation: Activation;
  /** Whether the table of tokens scores states, too. */
  readonly tied: boolean;
  readonly naming: Naming;
}

interface Kind {
  readonly naming: Naming;
  /** Names of fields. */
  readonly fields: typeof BERT_FIELDS;
  readonly tokenTypes: boolean;
  /** The first rows of the table of positions, up to that of the padding token, are not used (fairseq). */
  readonly shifted: boolean;
  /** The layer before the scores has an activation of its own. */
  readonly headActivation?: Activation | undefined;
}

const BERT_FIELDS = {
  width: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  feedForward: 'intermediate_size',
  activation: 'hidden_act',
};
/** Liu et al., 2019; its descendants differ in what they were trained on. */
const ROBERTA: Kind = {
  naming: OF_ROBERTA,
  fields: BERT_FIELDS,
  tokenTypes: true,
  shifted: true,
  headActivation: 'gelu',
};
const KINDS: Readonly<Record<string, Kind>> = {
  // Devlin et al., 2019.
  bert: { naming: OF_BERT, fields: BERT_FIELDS, tokenTypes: true, shifted: false },
  roberta: ROBERTA,
  // Conneau et al., 2020.
  'xlm-roberta': ROBERTA,
  // Martin et al., 2020.
  camembert: ROBERTA,
  // Sanh et al., 2019.
  distilbert: {
    naming: OF_DISTILBERT,
    fields: { width: 'dim', layers: 'n_layers', heads: 'n_heads', feedForward: 'hidden_dim', activation: 'activation' },
    tokenTypes: false,
    shifted: false,
  },
};

/** The values of `model_type` that are read here. */
export const FILL_MASK_KINDS: readonly string[] = Object.keys(KINDS);

/** Reads the config of a model that fills masks. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readFillMaskShape(folder: ConfigFolder): FillMaskShape {
  const { config } = folder;
  const { naming, fields, tokenTypes, shifted, headActivation } = KINDS[String(config.model_type)];
  for (const field of ['is_decoder', 'add_cross_attention'] as const) {
    if (configFlag(folder, field, false)) {
      unsupportedConfig(folder, field, 'false: a decoder sees no text after a mask. Import weights of the encoder');
    }
  }
  const { position_embedding_type: positionKind = 'absolute' } = config;
  if (positionKind !== 'absolute') unsupportedConfig(folder, 'position_embedding_type', '"absolute"');
  const width = configInteger(folder, fields.width, 2, 65_536);
  const activation = activationOf(folder, fields.activation, config[fields.activation] ?? 'gelu');
  const rows = configInteger(folder, 'max_position_embeddings', 1, 65_536);
  const vocabularySize = configInteger(folder, 'vocab_size', 3, 1_000_000);
  const padding = paddingOf(folder, vocabularySize);
  const firstPosition = shifted ? padding + 1 : 0;
  if (firstPosition >= rows) {
    refuseConfig(folder, 'max_position_embeddings', 'a text', `more than pad_token_id + 1, ${firstPosition}`);
  }
  return {
    vocabularySize,
    width,
    layers: configInteger(folder, fields.layers, 1, 256),
    heads: configHeads(folder, width, fields.heads),
    feedForward: configInteger(folder, fields.feedForward, 1, 1_000_000),
    positions: rows - firstPosition,
    firstPosition,
    unplacedTokenId: shifted ? padding : undefined,
    tokenTypes: !tokenTypes
      ? 0
      : isGiven(config.type_vocab_size)
        ? configInteger(folder, 'type_vocab_size', 1, 65_536)
        : 2,
    epsilon: configNumber(folder, 'layer_norm_eps', 1e-12, 0, 1),
    activation,
    headActivation: headActivation ?? activation,
    tied: configFlag(folder, 'tie_word_embeddings', true),
    naming,
  };
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** The padding of the network, which no other file but the config decides. */
function paddingOf(folder: ConfigFolder, vocabularySize: number): number {
  return isGiven(folder.config.pad_token_id) ? configInteger(folder, 'pad_token_id', 0, vocabularySize - 1) : 1;
}
