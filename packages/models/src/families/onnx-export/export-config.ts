import { invalidFolder } from '../../folder/refusal.js';
import { type ConfigFiles, originOf } from '../../hugging-face/config-files.js';
import { configInteger } from '../../hugging-face/config-integer.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';

const MAX_VOCABULARY = 1_000_000;
const MAX_POSITIONS = 65_536;

/** Tokens of the vocabulary: as many as the decoder scores, which the config must agree to. Throws `INVALID_MODEL_FOLDER`. */
export function vocabularySize(configs: ConfigFiles, { file, outputs }: ExportGraph, logits: string): number {
  const ofOutputs = integer(configs, 'decoder_vocab_size', MAX_VOCABULARY);
  const said = ofOutputs ?? integer(configs, 'vocab_size', MAX_VOCABULARY);
  const scored = outputs[logits]?.dims.at(-1) ?? undefined;
  const size = scored ?? said;
  const { file: from, field } = originOf(configs, ofOutputs === undefined ? 'vocab_size' : 'decoder_vocab_size');
  if (size === undefined || (said !== undefined && said !== size)) {
    throw invalidFolder(
      size === undefined
        ? `${from} in ${configs.path} has no ${field}, and ${file} does not say how many tokens it scores. Fetch or correct ${from}.`
        : `${from} in ${configs.path} says ${field} ${said}, but ${file} scores ${size} tokens. Fetch config and graphs of one model.`,
      { folder: configs.path, file: from, field, received: said, required: size ?? 'an integer' },
    );
  }
  return size;
}

/** Tokens of sources: as many as the config says, or else as outputs have. Throws `INVALID_MODEL_FOLDER`. */
export function sourceVocabularySize(configs: ConfigFiles, size: number): number {
  return integer(configs, 'vocab_size', MAX_VOCABULARY) ?? size;
}

/** Most tokens of sources and of outputs, where positions are counted. Throws `INVALID_MODEL_FOLDER`. */
export function positionsOf(
  configs: ConfigFiles,
  encodes: boolean,
): { source?: number | undefined; output?: number | undefined } {
  const first = (...fields: string[]): number | undefined => {
    for (const field of fields) {
      const value = integer(configs, field, 2 ** 31);
      if (value !== undefined) return Math.min(value, MAX_POSITIONS);
    }
    return undefined;
  };
  const output = first(
    'max_target_positions',
    'max_decoder_position_embeddings',
    'max_position_embeddings',
    // Models of relative positions have it too, and count none.
    ...(encodes ? [] : ['n_positions']),
    'n_ctx',
    'max_seq_len',
  );
  if (!encodes) return { source: output, output };
  return {
    source: first('max_source_positions', 'max_encoder_position_embeddings', 'max_position_embeddings'),
    output,
  };
}

/** Heads of a decoder's keys and values and numbers of each, as configs call them; for graphs that do not say. */
export function cacheShape(configs: ConfigFiles): OnnxExportManifest['cache'] {
  const first = (...fields: string[]): number | undefined =>
    fields.map((field) => integer(configs, field, MAX_POSITIONS)).find((value) => value !== undefined);
  const queries = first(
    'decoder_attention_heads',
    'num_decoder_attention_heads',
    'num_attention_heads',
    'num_heads',
    'n_head',
  );
  const heads = first('num_key_value_heads') ?? queries;
  const width = first('d_model', 'hidden_size', 'n_embd');
  const size = first('d_kv', 'head_dim') ?? (queries && width && Math.floor(width / queries));
  return heads === undefined || size === undefined || size < 1 ? undefined : { heads, size };
}

/** A positive integer of the config; undefined where it is missing or null. Throws `INVALID_MODEL_FOLDER`. */
function integer(configs: ConfigFiles, field: string, max: number): number | undefined {
  const { config } = configs;
  const value = Object.hasOwn(config, field) ? config[field] : undefined;
  return value === undefined || value === null ? undefined : configInteger(configs, field, 1, max);
}
