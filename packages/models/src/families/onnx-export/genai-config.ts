import { assertPlainFileName } from '../../folder/file-names.js';
import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import type { ConfigFiles, FieldOrigin, FileReader } from '../../hugging-face/config-files.js';
import { genaiParts, type UnusedPart } from './genai-parts.js';

/** What a folder of onnxruntime-genai says of its model. */
export const GENAI_CONFIG = 'genai_config.json';
/** How its sound becomes what an encoder reads, unless the config names another file. */
const AUDIO_PROCESSOR = 'audio_processor_config.json';
/** Far more layers than any decoder has. */
const MAX_LAYERS = 1000;

/** An input or output: what onnxruntime-genai calls it unless its config says otherwise, and what exporters usually call it. `%d` is a layer. */
type Naming = readonly [standard: string | undefined, usual: string];

const ENCODER = {
  inputs: {
    input_ids: ['input_ids', 'input_ids'],
    attention_mask: ['attention_mask', 'attention_mask'],
    audio_features: ['audio_features', 'input_features'],
  },
  outputs: {
    encoder_outputs: ['encoder_outputs', 'last_hidden_state'],
    encoder_hidden_states: ['encoder_hidden_states', 'last_hidden_state'],
    cross_present_key_names: ['present_key_cross_%d', 'present.%d.encoder.key'],
    cross_present_value_names: ['present_value_cross_%d', 'present.%d.encoder.value'],
  },
} as const satisfies Record<string, Record<string, Naming>>;

/** Of a decoder whose own caches are called so; the first is that of one alone. */
const decoderNames = (own: '' | '.decoder'): Record<'inputs' | 'outputs', Record<string, Naming>> => ({
  inputs: {
    input_ids: ['input_ids', 'input_ids'],
    attention_mask: ['attention_mask', 'attention_mask'],
    position_ids: ['position_ids', 'position_ids'],
    encoder_hidden_states: ['encoder_hidden_states', 'encoder_hidden_states'],
    encoder_attention_mask: ['encoder_attention_mask', 'encoder_attention_mask'],
    past_key_names: ['past_key_values.%d.key', `past_key_values.%d${own}.key`],
    past_value_names: ['past_key_values.%d.value', `past_key_values.%d${own}.value`],
    cross_past_key_names: [undefined, 'past_key_values.%d.encoder.key'],
    cross_past_value_names: [undefined, 'past_key_values.%d.encoder.value'],
  },
  outputs: {
    logits: ['logits', 'logits'],
    present_key_names: ['present.%d.key', `present.%d${own}.key`],
    present_value_names: ['present.%d.value', `present.%d${own}.value`],
  },
});

/** What a graph calls inputs and outputs, to what exporters usually call them. */
export type GraphNames = ReadonlyMap<string, string>;

/** A decoder in a folder of onnxruntime-genai, and the encoder whose sources it reads, where it has one. */
export interface GenaiModel {
  readonly encoder?: { readonly file: string; readonly names: GraphNames } | undefined;
  readonly decoder: { readonly file: string; readonly names: GraphNames };
  /** What is used of the config, in the words of transformers. */
  readonly configs: ConfigFiles;
  /** The file that says how sound becomes what the encoder reads. */
  readonly processor: string;
  /** Parts that outputs do not need, which are not used. */
  readonly unused: readonly UnusedPart[];
}

type Fields = Readonly<Record<string, unknown>>;
type Refuse = (field: string, received: unknown, required: string) => never;

/** Reads what onnxruntime-genai reads of a model. Throws `INVALID_MODEL_FOLDER`; `UNSUPPORTED_MODEL` for all but a decoder, with or without an encoder. */
export async function readGenai(reader: FileReader): Promise<GenaiModel> {
  const { path: folder } = reader;
  const content = parseJson(
    decodeUtf8(await reader.read(GENAI_CONFIG, MANIFEST_BYTES), GENAI_CONFIG, { folder }),
    GENAI_CONFIG,
    { folder },
  );
  const refuse: Refuse = (field, received, required) => {
    throw invalidFolder(
      `${GENAI_CONFIG} in ${folder}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
      { folder, file: GENAI_CONFIG, field, received, required },
    );
  };
  const model = objectOf('model', isObject(content) ? content.model : undefined, refuse);
  const decoder = objectOf('model.decoder', model.decoder, refuse);
  const { encoder, processor = AUDIO_PROCESSOR, unused } = genaiParts(model, decoder, GENAI_CONFIG, folder);
  const layers = decoder.num_hidden_layers;
  if (typeof layers !== 'number' || !Number.isInteger(layers) || layers < 1 || layers > MAX_LAYERS) {
    return refuse('model.decoder.num_hidden_layers', layers, `an integer from 1 to ${MAX_LAYERS}`);
  }
  const graph = (
    part: 'encoder' | 'decoder',
    fields: Fields,
    usual: Readonly<Record<'inputs' | 'outputs', Readonly<Record<string, Naming>>>>,
  ) => {
    const { filename } = fields;
    assertPlainFileName(filename, { folder, file: GENAI_CONFIG, field: `model.${part}.filename`, received: filename });
    return { file: filename, names: namesOf(`model.${part}`, fields, usual, layers, refuse) };
  };
  assertPlainFileName(processor, {
    folder,
    file: GENAI_CONFIG,
    field: 'model.speech.config_filename',
    received: processor,
  });
  return {
    encoder: encoder && graph('encoder', encoder, ENCODER),
    decoder: graph('decoder', decoder, decoderNames(encoder === undefined ? '' : '.decoder')),
    configs: {
      path: folder,
      config: configOf(content, model, decoder),
      file: GENAI_CONFIG,
      origins: originsOf(content, model),
    },
    processor,
    unused,
  };
}

/** What of a config transformers has too, as it calls it. */
function configOf(content: unknown, model: Fields, decoder: Fields): Fields {
  const [, search] = searchOf(content, model);
  const { type, vocab_size, bos_token_id, eos_token_id, pad_token_id, decoder_start_token_id, context_length } = model;
  const { num_attention_heads, num_key_value_heads, head_size, hidden_size } = decoder;
  return {
    ...search,
    model_type: type,
    vocab_size,
    bos_token_id,
    eos_token_id,
    pad_token_id,
    decoder_start_token_id,
    max_position_embeddings: context_length,
    num_attention_heads,
    num_key_value_heads,
    head_dim: head_size,
    hidden_size,
  };
}

/** Settings of decoding, and where they stand. */
function searchOf(content: unknown, model: Fields): readonly [place: string, search: Fields] {
  const search = model.search ?? (isObject(content) ? content.search : undefined);
  return [model.search === undefined ? 'search' : 'model.search', isObject(search) ? search : {}];
}

/** What such a config calls the fields of a config of transformers. */
function originsOf(content: unknown, model: Fields): Readonly<Record<string, FieldOrigin>> {
  const [place, search] = searchOf(content, model);
  const of = (part: string, fields: Readonly<Record<string, string>>): (readonly [string, FieldOrigin])[] =>
    Object.entries(fields).map(([name, field]) => [name, { field: `${part}.${field}` }]);
  const kept = ['vocab_size', 'bos_token_id', 'eos_token_id', 'pad_token_id', 'decoder_start_token_id'];
  const ofDecoder = ['num_attention_heads', 'num_key_value_heads', 'hidden_size'];
  const alike = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));
  return Object.fromEntries([
    ...of(place, alike(Object.keys(search))),
    ...of('model', { ...alike(kept), model_type: 'type', max_position_embeddings: 'context_length' }),
    ...of('model.decoder', { ...alike(ofDecoder), head_dim: 'head_size' }),
  ]);
}

function objectOf(field: string, value: unknown, refuse: Refuse): Fields {
  return isObject(value) ? value : refuse(field, value, 'an object');
}

/** What a graph calls inputs and outputs, by the names that a config gives them. */
function namesOf(
  part: string,
  fields: Fields,
  usual: Readonly<Record<'inputs' | 'outputs', Readonly<Record<string, Naming>>>>,
  layers: number,
  refuse: Refuse,
): GraphNames {
  const names = new Map<string, string>();
  for (const side of ['inputs', 'outputs'] as const) {
    const given = fields[side] === undefined ? {} : objectOf(`${part}.${side}`, fields[side], refuse);
    for (const [field, [standard, known]] of Object.entries(usual[side])) {
      const name = Object.hasOwn(given, field) ? given[field] : standard;
      if (name === undefined) continue;
      const perLayer = known.includes('%d');
      if (typeof name !== 'string' || name === '' || name.length > 200 || perLayer !== name.includes('%d')) {
        return refuse(`${part}.${side}.${field}`, name, perLayer ? 'a name with %d for the layer' : 'a name');
      }
      for (let layer = 0; layer < (perLayer ? layers : 1); layer++) {
        names.set(name.replace('%d', String(layer)), known.replace('%d', String(layer)));
      }
    }
  }
  return names;
}
