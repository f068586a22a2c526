import { assertPlainFileName } from '../../folder/file-names.js';
import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import { invalidFolder, quote, unsupportedModel } from '../../folder/refusal.js';
import type { ConfigFiles, FileReader } from '../../hugging-face/config-files.js';

/** What a folder of onnxruntime-genai says of its model. */
export const GENAI_CONFIG = 'genai_config.json';
/** Far more layers than any decoder has. */
const MAX_LAYERS = 1000;

/** What onnxruntime-genai calls inputs and outputs, unless its config says otherwise; `%d` is a layer. */
const INPUTS = {
  input_ids: 'input_ids',
  attention_mask: 'attention_mask',
  position_ids: 'position_ids',
  past_key_names: 'past_key_values.%d.key',
  past_value_names: 'past_key_values.%d.value',
};
const OUTPUTS = { logits: 'logits', present_key_names: 'present.%d.key', present_value_names: 'present.%d.value' };

/** A decoder in a folder of onnxruntime-genai. */
export interface GenaiModel {
  readonly file: string;
  /** What is used of the config, in the words of transformers. */
  readonly configs: ConfigFiles;
  /** What the graph calls inputs and outputs, to what exporters usually call them. */
  readonly names: ReadonlyMap<string, string>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads what onnxruntime-genai reads of a decoder. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` for all but one decoder. */
export async function readGenai(reader: FileReader): Promise<GenaiModel> {
  const { path: folder } = reader;
  const content = parseJson(
    decodeUtf8(await reader.read(GENAI_CONFIG, MANIFEST_BYTES), GENAI_CONFIG, { folder }),
    GENAI_CONFIG,
    { folder },
  );
  const refuse = (field: string, received: unknown, required: string): never => {
    throw invalidFolder(
      `${GENAI_CONFIG} in ${folder}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
      { folder, file: GENAI_CONFIG, field, received, required },
    );
  };
  const objectAt = (field: string, value: unknown): Fields =>
    isObject(value) ? value : refuse(field, value, 'an object');
  const model = objectAt('model', isObject(content) ? content.model : undefined);
  const decoder = objectAt('model.decoder', model.decoder);
  const others = Object.keys(model).filter((part) => part !== 'decoder' && isObject(model[part]));
  const pipeline = Array.isArray(decoder.pipeline) && decoder.pipeline.length > 0 ? ['decoder.pipeline'] : [];
  const [other] = [...others, ...pipeline];
  if (other !== undefined) {
    throw unsupportedModel(
      `${GENAI_CONFIG} in ${folder} has model.${other}, but of such folders only a single decoder is opened. Import its weights, or export it with Optimum.`,
      {
        folder,
        file: GENAI_CONFIG,
        field: `model.${other}`,
        received: Object.keys(model),
        required: 'model.decoder alone',
      },
    );
  }
  const { filename } = decoder;
  assertPlainFileName(filename, { folder, file: GENAI_CONFIG, field: 'model.decoder.filename', received: filename });
  const layers = decoder.num_hidden_layers;
  if (typeof layers !== 'number' || !Number.isInteger(layers) || layers < 1 || layers > MAX_LAYERS) {
    return refuse('model.decoder.num_hidden_layers', layers, `an integer from 1 to ${MAX_LAYERS}`);
  }
  const names = new Map<string, string>();
  for (const [side, usual] of [
    ['inputs', INPUTS],
    ['outputs', OUTPUTS],
  ] as const) {
    const given = decoder[side] === undefined ? {} : objectAt(`model.decoder.${side}`, decoder[side]);
    for (const [field, standard] of Object.entries(usual)) {
      const name = Object.hasOwn(given, field) ? given[field] : standard;
      const perLayer = standard.includes('%d');
      if (typeof name !== 'string' || name === '' || name.length > 200 || perLayer !== name.includes('%d')) {
        return refuse(`model.decoder.${side}.${field}`, name, perLayer ? 'a name with %d for the layer' : 'a name');
      }
      for (let layer = 0; layer < (perLayer ? layers : 1); layer++) {
        names.set(name.replace('%d', String(layer)), standard.replace('%d', String(layer)));
      }
    }
  }
  const search = model.search ?? (isObject(content) ? content.search : undefined);
  const { type, vocab_size, eos_token_id, pad_token_id, context_length } = model;
  const { num_attention_heads, num_key_value_heads, head_size, hidden_size } = decoder;
  const config = {
    ...(isObject(search) ? search : undefined),
    model_type: type,
    vocab_size,
    eos_token_id,
    pad_token_id,
    max_position_embeddings: context_length,
    num_attention_heads,
    num_key_value_heads,
    head_dim: head_size,
    hidden_size,
  };
  return { file: filename, configs: { path: folder, config, file: GENAI_CONFIG }, names };
}
