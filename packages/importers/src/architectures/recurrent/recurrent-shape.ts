import type { Cell, RecurrentShape } from '../../blocks/recurrent-layer.js';
import type { AttentionScore } from '../../blocks/source-attention.js';
import { type ConfigFolder, configInteger, refuseConfig } from '../../readers/hugging-face/config-fields.js';

/** A recurrent network, as its config.json says. */
export interface RecurrentNetworkShape {
  readonly layer: RecurrentShape;
  readonly layers: number;
  readonly embedding: number;
  readonly vocabularySize: number;
  /** Absent in language models. */
  readonly encoder?:
    | {
        readonly vocabularySize: number;
        readonly padTokenId: number;
        /** Width of each direction; together they are as wide as the decoder. */
        readonly width: number;
        readonly directions: 1 | 2;
      }
    | undefined;
  readonly attention?:
    | {
        readonly score: AttentionScore;
        /** Before the step its state is the one before, and what is found is read with the token; after it, beside its state. */
        readonly place: 'before' | 'after';
        readonly width: number;
      }
    | undefined;
  readonly startTokenId: number;
  readonly endTokenId?: number | undefined;
  readonly padTokenId?: number | undefined;
  readonly sourceLength: number;
  readonly targetLength: number;
  /** Names of tensors in the file, by the names that are used here. */
  readonly tensors: Readonly<Record<string, string>>;
}

const MAX_WIDTH = 65_536;
const MAX_VOCABULARY = 1_000_000;

/** Reads the shape of a recurrent network. Throws `INVALID_MODEL_FOLDER`. */
export function readRecurrentShape(folder: ConfigFolder): RecurrentNetworkShape {
  const { config } = folder;
  const has = (field: string): boolean => config[field] !== undefined && config[field] !== null;
  const number = (field: string, otherwise: number, max: number, min = 1): number =>
    has(field) ? configInteger(folder, field, min, max) : otherwise;
  const flag = (field: string, otherwise: boolean): boolean => {
    if (!has(field)) return otherwise;
    return typeof config[field] === 'boolean'
      ? config[field]
      : refuseConfig(folder, field, 'this model', 'true or false');
  };
  const choice = <const Value extends string>(field: string, values: readonly Value[], otherwise?: Value): Value => {
    const found = has(field) ? values.find((value) => value === config[field]) : otherwise;
    return found ?? refuseConfig(folder, field, 'this model', values.join(' or '));
  };
  const width = configInteger(folder, 'hidden_size', 1, MAX_WIDTH);
  const vocabularySize = configInteger(folder, 'vocab_size', 2, MAX_VOCABULARY);
  const score = choice('attention', ['none', 'dot', 'general', 'additive'], 'none');
  const directions = flag('bidirectional', false) ? 2 : 1;
  if (width % directions !== 0) refuseConfig(folder, 'hidden_size', 'an encoder of two directions', 'an even number');
  const token = (field: string): number | undefined =>
    has(field) ? configInteger(folder, field, 0, vocabularySize - 1) : undefined;
  const encoder = has('source_vocab_size') && {
    vocabularySize: configInteger(folder, 'source_vocab_size', 2, MAX_VOCABULARY),
    padTokenId: number('source_pad_token_id', 0, configInteger(folder, 'source_vocab_size', 2, MAX_VOCABULARY) - 1, 0),
    width: width / directions,
    directions: directions as 1 | 2,
  };
  if (score !== 'none' && encoder === false) refuseConfig(folder, 'attention', 'a model without sources', '"none"');
  const place = choice('attention_place', ['before', 'after'], 'after');
  return {
    layer: {
      cell: choice<Cell>('cell', ['rnn', 'gru', 'lstm']),
      activation: choice('activation', ['tanh', 'relu'], 'tanh'),
      width,
      biased: flag('bias', true),
    },
    layers: number('num_layers', 1, 16),
    embedding: number('embedding_size', width, MAX_WIDTH),
    vocabularySize,
    encoder: encoder === false ? undefined : encoder,
    attention: score === 'none' ? undefined : { score, place, width: number('attention_size', width, MAX_WIDTH) },
    startTokenId:
      token('bos_token_id') ?? refuseConfig(folder, 'bos_token_id', 'this model', 'the token that outputs begin with'),
    endTokenId: token('eos_token_id'),
    padTokenId: token('pad_token_id'),
    sourceLength: number('max_source_length', 512, 65_536),
    targetLength: number('max_length', 512, 65_536),
    tensors: readNames(folder),
  };
}

function readNames(folder: ConfigFolder): Readonly<Record<string, string>> {
  const { tensors } = folder.config;
  if (tensors === undefined || tensors === null) return {};
  const isNames = typeof tensors === 'object' && !Array.isArray(tensors);
  if (!isNames || !Object.values(tensors).every((name) => typeof name === 'string')) {
    refuseConfig(folder, 'tensors', 'this importer', 'an object of names by names');
  }
  return tensors as Readonly<Record<string, string>>;
}
