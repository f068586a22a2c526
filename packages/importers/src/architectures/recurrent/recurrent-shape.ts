import { nameHint } from '@foretoken/core/kit';
import { invalidFolder, quote } from '@foretoken/models/internal';
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

/** All that is read of a config. */
const FIELDS =
  'model_type cell activation hidden_size embedding_size num_layers bias vocab_size bos_token_id eos_token_id pad_token_id max_length source_vocab_size source_pad_token_id max_source_length bidirectional attention attention_place attention_size tensors'.split(
    ' ',
  );
/** What programs that write configs add, and what only training does: nothing that is computed depends on it. */
const HARMLESS =
  'architectures dtype torch_dtype transformers_version _name_or_path name description license dropout batch_first'.split(
    ' ',
  );

const MAX_WIDTH = 65_536;
const MAX_VOCABULARY = 1_000_000;

/** Reads the shape of a recurrent network. Throws `INVALID_MODEL_FOLDER`. */
export function readRecurrentShape(folder: ConfigFolder): RecurrentNetworkShape {
  const { config } = folder;
  assertKnown(folder);
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
  const cell = choice<Cell>('cell', ['rnn', 'gru', 'lstm']);
  const activation = choice('activation', ['tanh', 'relu'], 'tanh');
  // What would have no effect was meant otherwise.
  if (activation !== 'tanh' && cell !== 'rnn')
    refuseConfig(folder, 'activation', `a cell that is ${quote(cell)}`, '"tanh"');
  if (place !== 'after' && score === 'none')
    refuseConfig(folder, 'attention_place', 'a model without attention', 'none');
  if (encoder === false && directions === 2) {
    refuseConfig(folder, 'bidirectional', 'a model without sources', 'false, or source_vocab_size beside it');
  }
  if (encoder === false && has('source_pad_token_id')) {
    refuseConfig(
      folder,
      'source_pad_token_id',
      'a model without sources',
      'no such field, or source_vocab_size beside it',
    );
  }
  return {
    layer: {
      cell,
      activation,
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

/** This format is Foretoken's own: a field that is not known is a mistake, or says something of the network that is not done here. */
function assertKnown({ path, config }: ConfigFolder): void {
  const known = new Set([...FIELDS, ...HARMLESS]);
  const field = Object.keys(config).find((name) => config[name] !== null && !known.has(name));
  if (field === undefined) return;
  throw invalidFolder(
    `config.json in ${path} has ${quote(field)} = ${quote(config[field])}, which is no field of a recurrent model.${nameHint(field, FIELDS)} Known fields: ${FIELDS.join(', ')}. Correct it, or leave it out where it says nothing of the network.`,
    { folder: path, file: 'config.json', field, received: config[field], required: FIELDS },
  );
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
