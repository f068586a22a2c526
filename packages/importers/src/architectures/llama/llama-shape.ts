import { type ImportNote, originOf } from '@foretoken/models/internal';
import type { Activation } from '../../blocks/activation.js';
import type { RotaryRates } from '../../blocks/rotary.js';
import { type ConfigFolder, configInteger, refuseConfig } from '../../readers/hugging-face/config-fields.js';
import { configFlag, configNumber } from '../../readers/hugging-face/config-values.js';
import type { CausalShape } from '../causal/causal-content.js';
import { activationOf } from '../config-activation.js';
import { readRotary } from './rope-rates.js';

/** A model of the Llama family: its sizes, and where its members differ. */
export interface LlamaShape extends CausalShape {
  readonly biased: { readonly in: boolean; readonly out: boolean; readonly feedForward: boolean };
  /** Queries and keys are normalised by head (Qwen 3). */
  readonly normedHeads: boolean;
  /** Of the feed-forward blocks. */
  readonly activation: Activation;
  /** The embedding is the output matrix too. */
  readonly tied: boolean;
  readonly rotary: RotaryRates;
}

/** Limit of a model folder. */
const MAX_POSITIONS = 65_536;

interface Kind {
  readonly biases: 'config' | 'none' | 'in';
  readonly normedHeads: boolean;
}

/** What each kind has that its config does not say. */
const KINDS: Readonly<Record<string, Kind>> = {
  llama: { biases: 'config', normedHeads: false },
  mistral: { biases: 'none', normedHeads: false },
  qwen2: { biases: 'in', normedHeads: false },
  qwen3: { biases: 'config', normedHeads: true },
};

/** The values of `model_type` that are read here. */
export const LLAMA_KINDS: readonly string[] = Object.keys(KINDS);

/** Reads the config of a Llama, Mistral, Qwen 2 or Qwen 3 model. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readLlamaShape(folder: ConfigFolder): LlamaShape {
  const { config } = folder;
  const kind = KINDS[String(config.model_type)];
  const width = configInteger(folder, 'hidden_size', 2, 65_536);
  const heads = configInteger(folder, 'num_attention_heads', 1, 1024);
  const keyValueHeads =
    config.num_key_value_heads === undefined || config.num_key_value_heads === null
      ? heads
      : configInteger(folder, 'num_key_value_heads', 1, heads);
  if (heads % keyValueHeads !== 0) refuseConfig(folder, 'num_key_value_heads', 'attention', `a divisor of ${heads}`);
  const given = config.head_dim !== undefined && config.head_dim !== null;
  if (!given && width % heads !== 0) {
    refuseConfig(folder, 'num_attention_heads', 'attention', `a divisor of the width, ${width}`);
  }
  const headWidth = given ? configInteger(folder, 'head_dim', 2, 4096) : width / heads;
  if (headWidth % 2 !== 0) {
    refuseConfig(folder, given ? 'head_dim' : 'hidden_size', 'rotary positions', 'heads of an even width');
  }
  const layers = configInteger(folder, 'num_hidden_layers', 1, 256);
  const trained = configInteger(folder, 'max_position_embeddings', 1, 100_000_000);
  const window = windowOf(folder, layers);
  const positions = Math.min(trained, window, MAX_POSITIONS);
  const biased = kind.biases === 'config' && configFlag(folder, 'attention_bias', false);
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    layers,
    heads,
    keyValueHeads,
    headWidth,
    feedForward: configInteger(folder, 'intermediate_size', 1, 1_000_000),
    positions,
    notes: positions === trained ? [] : [shortened(folder, positions, window, trained)],
    epsilon: configNumber(folder, 'rms_norm_eps', 1e-6, 0, 1),
    biased: {
      in: biased || kind.biases === 'in',
      out: biased,
      feedForward: config.model_type === 'llama' && configFlag(folder, 'mlp_bias', false),
    },
    normedHeads: kind.normedHeads,
    activation: activationOf(folder, 'hidden_act', config.hidden_act ?? 'silu'),
    tied: configFlag(folder, 'tie_word_embeddings', false),
    rotary: readRotary(folder, headWidth, positions),
  };
}

function shortened(folder: ConfigFolder, positions: number, window: number, trained: number): ImportNote {
  const [name, received, why] =
    positions === window
      ? [
          'sliding_window',
          window,
          'Within the window the model computes what the original does; longer texts are refused.',
        ]
      : ['max_position_embeddings', trained, 'Model folders hold no more.'];
  const { file, field } = originOf(folder, name);
  return {
    file,
    field,
    received,
    message: `${file} has ${field} = ${received}. Prompt and output together may have ${positions} tokens here. ${why}`,
  };
}

/**
 * Positions that every layer sees: a layer that attends to a sliding window sees all of a text that is no longer than that, so
 * there the model computes what the original does.
 */
function windowOf(folder: ConfigFolder, layers: number): number {
  const { config } = folder;
  const { sliding_window: window, layer_types: types, use_sliding_window: used } = config;
  if (window === undefined || window === null || used === false) return Number.POSITIVE_INFINITY;
  if (Array.isArray(types) && types.length === layers && types.every((type) => type === 'full_attention')) {
    return Number.POSITIVE_INFINITY;
  }
  // Qwen 2 and 3 use it only where they are told to.
  if (used === undefined && config.model_type !== 'mistral') return Number.POSITIVE_INFINITY;
  return configInteger(folder, 'sliding_window', 1, 100_000_000);
}
