import type { Activation } from '../../blocks/activation.js';
import type { NormPlace } from '../../blocks/norms.js';
import {
  type ConfigFolder,
  configHeads,
  configInteger,
  refuseConfig,
  unsupportedConfig,
} from '../../readers/hugging-face/config-fields.js';
import { configFlag } from '../../readers/hugging-face/config-values.js';
import { activationOf } from '../config-activation.js';

/** Where positions come from: a learned table whose first rows are not used, or sinusoids of one kind or the other. */
export type PositionKind = 'learned' | 'sinusoids' | 'shifted-sinusoids';

/** One side: its layers and their sizes. */
export interface SideShape {
  readonly layers: number;
  readonly heads: number;
  readonly feedForward: number;
}

/** A model of the BART family: its sizes, and where its members differ. */
export interface BartShape {
  readonly vocabularySize: number;
  /** Where sources have tokens, and a table, of their own. */
  readonly sourceVocabularySize: number | undefined;
  readonly width: number;
  readonly encoder: SideShape;
  readonly decoder: SideShape;
  readonly positions: number;
  readonly positionKind: PositionKind;
  /** Number of the first position in the table of positions. */
  readonly firstPosition: number;
  readonly activation: Activation;
  /** Embeddings are multiplied with the root of the width. */
  readonly scaled: boolean;
  readonly norm: NormPlace;
  /** Whether embeddings are normalised, and the states of the last layers. */
  readonly norms: { readonly embedding: boolean; readonly final: boolean };
  /** Whether each side has a table of tokens of its own. */
  readonly ownTables: boolean;
  /** Whether the table of outputs scores states, too. */
  readonly tied: boolean;
  /** Whether the scores have a bias; a folder of the layers alone has none. */
  readonly outputBias: 'always' | 'maybe' | 'never';
  readonly multilingual: boolean;
}

interface Kind {
  readonly norm: NormPlace;
  readonly embeddingNorm: boolean;
  readonly finalNorm: boolean;
  readonly positions: PositionKind;
  readonly activation: string;
  readonly outputBias: BartShape['outputBias'];
  readonly multilingual?: boolean | undefined;
  /** Fields by which configs of older releases said what the kind says now. */
  readonly told?: boolean | undefined;
}

/** What each kind has that newer configs do not say. */
const KINDS: Readonly<Record<string, Kind>> = {
  // Lewis et al., 2020. Old OPUS models are said to be of this kind, with fields that say what they are.
  bart: {
    norm: 'post',
    embeddingNorm: true,
    finalNorm: false,
    positions: 'learned',
    activation: 'gelu',
    outputBias: 'maybe',
    told: true,
  },
  // Junczys-Dowmunt et al., 2018.
  marian: {
    norm: 'post',
    embeddingNorm: false,
    finalNorm: false,
    positions: 'sinusoids',
    activation: 'gelu',
    outputBias: 'always',
    told: true,
  },
  // Liu et al., 2020.
  mbart: {
    norm: 'pre',
    embeddingNorm: true,
    finalNorm: true,
    positions: 'learned',
    activation: 'gelu',
    outputBias: 'maybe',
    multilingual: true,
  },
  // Fan et al., 2020; NLLB Team, 2022.
  m2m_100: {
    norm: 'pre',
    embeddingNorm: false,
    finalNorm: true,
    positions: 'shifted-sinusoids',
    activation: 'relu',
    outputBias: 'never',
    multilingual: true,
  },
  // Zhang et al., 2020.
  pegasus: {
    norm: 'pre',
    embeddingNorm: false,
    finalNorm: true,
    positions: 'sinusoids',
    activation: 'gelu',
    outputBias: 'maybe',
  },
};

/** The values of `model_type` that are read here. */
export const BART_KINDS: readonly string[] = Object.keys(KINDS);

/** Learned tables have two rows that are not used, for which fairseq had ids of its own, unless the config says otherwise. */
const LEARNED_OFFSET = 2;

/** Reads the config of a model of the BART family. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readBartShape(folder: ConfigFolder): BartShape {
  const { config } = folder;
  const kind = KINDS[String(config.model_type)];
  const told = (field: string, otherwise: boolean): boolean =>
    kind.told ? configFlag(folder, field, otherwise) : otherwise;
  for (const field of ['add_bias_logits', 'do_blenderbot_90_layernorm', 'extra_layer_norm', 'is_decoder'] as const) {
    if (configFlag(folder, field, false)) unsupportedConfig(folder, field, 'false');
  }
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const learned = kind.positions === 'learned' && !told('static_position_embeddings', false);
  if (kind.positions !== 'learned' && !told('static_position_embeddings', true)) {
    unsupportedConfig(folder, 'static_position_embeddings', 'true');
  }
  const positionKind = learned ? 'learned' : kind.positions === 'learned' ? 'sinusoids' : kind.positions;
  if (!learned && width % 2 !== 0) refuseConfig(folder, 'd_model', 'sinusoidal positions', 'an even number');
  const size = configInteger(folder, 'vocab_size', 3, 1_000_000);
  const shared = configFlag(folder, 'share_encoder_decoder_embeddings', true);
  const otherSize = config.decoder_vocab_size !== undefined && config.decoder_vocab_size !== null;
  const vocabularySize = otherSize ? configInteger(folder, 'decoder_vocab_size', 3, 1_000_000) : size;
  if (!shared && positionKind === 'shifted-sinusoids') {
    unsupportedConfig(folder, 'share_encoder_decoder_embeddings', 'true');
  }
  if (shared && vocabularySize !== size) {
    refuseConfig(folder, 'decoder_vocab_size', 'one table for both sides', `vocab_size, ${size}`);
  }
  const side = (name: 'encoder' | 'decoder'): SideShape => ({
    layers: configInteger(folder, `${name}_layers`, 1, 256),
    heads: configHeads(folder, width, `${name}_attention_heads`),
    feedForward: configInteger(folder, `${name}_ffn_dim`, 1, 1_000_000),
  });
  return {
    vocabularySize,
    sourceVocabularySize: shared ? undefined : size,
    width,
    encoder: side('encoder'),
    decoder: side('decoder'),
    positions: configInteger(folder, 'max_position_embeddings', 1, 65_536),
    positionKind,
    firstPosition: firstPosition(folder, positionKind, kind),
    activation: activationOf(folder, 'activation_function', config.activation_function ?? kind.activation),
    scaled: configFlag(folder, 'scale_embedding', false),
    norm: told('normalize_before', kind.norm === 'pre') ? 'pre' : 'post',
    norms: {
      embedding: told('normalize_embedding', kind.embeddingNorm),
      final: told('add_final_layer_norm', kind.finalNorm),
    },
    ownTables: !shared,
    tied: configFlag(folder, 'tie_word_embeddings', true),
    outputBias: kind.outputBias,
    multilingual: kind.multilingual ?? told('multilingual', false),
  };
}

function firstPosition(folder: ConfigFolder, kind: PositionKind, { told }: Kind): number {
  if (kind === 'learned') {
    const { extra_pos_embeddings: extra } = folder.config;
    return told && extra !== undefined && extra !== null
      ? configInteger(folder, 'extra_pos_embeddings', 0, 65_536)
      : LEARNED_OFFSET;
  }
  // Numbers up to that of the padding token are left out.
  return kind === 'sinusoids' ? 0 : configInteger(folder, 'pad_token_id', 0, 65_536) + 1;
}
