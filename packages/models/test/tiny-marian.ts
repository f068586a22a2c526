import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TinyShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly layers: number;
  readonly maxPositions: number;
}

export const TINY: TinyShape = {
  vocabularySize: 23,
  width: 16,
  heads: 2,
  feedForward: 24,
  layers: 2,
  maxPositions: 40,
};

/** A small deterministic generator: the weights only need to be dull and repeatable. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

type Shapes = Record<string, readonly number[]>;

function attention(prefix: string, width: number): Shapes {
  return Object.fromEntries(
    ['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((part) => [
      [`${prefix}.${part}.weight`, [width, width]],
      [`${prefix}.${part}.bias`, [width]],
    ]),
  );
}

function layer(prefix: string, width: number, feedForward: number, cross: boolean): Shapes {
  const norms = ['self_attn_layer_norm', 'final_layer_norm', ...(cross ? ['encoder_attn_layer_norm'] : [])];
  const attentions = cross ? ['self_attn', 'encoder_attn'] : ['self_attn'];
  return {
    ...Object.assign({}, ...attentions.map((name) => attention(`${prefix}.${name}`, width))),
    ...Object.fromEntries(
      norms.flatMap((norm) => [
        [`${prefix}.${norm}.weight`, [width]],
        [`${prefix}.${norm}.bias`, [width]],
      ]),
    ),
    [`${prefix}.fc1.weight`]: [feedForward, width],
    [`${prefix}.fc1.bias`]: [feedForward],
    [`${prefix}.fc2.weight`]: [width, feedForward],
    [`${prefix}.fc2.bias`]: [width],
  };
}

/** Serialises named fp32 tensors, and optional int32 vectors or matrices, as a safetensors file. */
export function safetensors(
  shapes: Shapes,
  seed: number,
  integers: Record<string, readonly number[] | readonly (readonly number[])[]> = {},
): Uint8Array {
  const random = generator(seed);
  const header: Record<string, unknown> = {};
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const put = (name: string, dtype: string, shape: readonly number[], data: Float32Array | Int32Array): void => {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    chunks.push(new Uint8Array(data.buffer));
    offset += data.byteLength;
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const isScale = name.endsWith('layer_norm.weight');
    put(
      name,
      'F32',
      shape,
      Float32Array.from({ length: size }, () => random() + (isScale ? 1 : 0)),
    );
  }
  for (const [name, values] of Object.entries(integers)) {
    const [first] = values;
    const shape = typeof first === 'object' ? [values.length, first.length] : [values.length];
    put(name, 'I32', shape, Int32Array.from(values.flat()));
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A tokenizer of single letters: `a` is token 3, `b` is 4, and so on; the start token is the last. */
export function letterTokenizer(vocabularySize: number): string {
  const letters = Array.from({ length: vocabularySize - 4 }, (_, index) => String.fromCharCode(97 + index));
  const tokens = ['<pad>', '<unk>', '</s>', ...letters, '<start>'];
  const special = [0, 1, 2, vocabularySize - 1];
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((id) => ({
      id,
      content: tokens[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
    },
  });
}

/** Writes a random Marian weights folder, in the layout of Hugging Face, and returns its path. */
export async function writeTinyMarian(shape: TinyShape = TINY, seed = 1): Promise<string> {
  const { vocabularySize, width, heads, feedForward, layers, maxPositions } = shape;
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-tiny-marian-'));
  const tensors: Shapes = { 'model.shared.weight': [vocabularySize, width], final_logits_bias: [1, vocabularySize] };
  for (let index = 0; index < layers; index++) {
    Object.assign(tensors, layer(`model.encoder.layers.${index}`, width, feedForward, false));
    Object.assign(tensors, layer(`model.decoder.layers.${index}`, width, feedForward, true));
  }
  const config = {
    model_type: 'marian',
    activation_function: 'swish',
    d_model: width,
    encoder_layers: layers,
    decoder_layers: layers,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    encoder_ffn_dim: feedForward,
    decoder_ffn_dim: feedForward,
    max_position_embeddings: maxPositions,
    vocab_size: vocabularySize,
    scale_embedding: true,
    eos_token_id: 2,
    pad_token_id: vocabularySize - 1,
    decoder_start_token_id: vocabularySize - 1,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensors, seed));
  await writeFile(join(folder, 'tokenizer.json'), letterTokenizer(vocabularySize));
  return folder;
}

/** Writes a random CTC student for `writeTinyMarian`'s encoder and returns its path. */
export async function writeTinyCtc(shape: TinyShape = TINY, seed = 2): Promise<string> {
  const { vocabularySize, width, heads, feedForward, layers, maxPositions } = shape;
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-tiny-ctc-'));
  const headTokenIds = Array.from({ length: vocabularySize - 4 }, (_, index) => index + 3);
  const tensors: Shapes = {
    'upsample.weight': [2 * width, width],
    'upsample.bias': [2 * width],
    'head.weight': [headTokenIds.length + 1, width],
    'head.bias': [headTokenIds.length + 1],
  };
  for (let index = 0; index < layers; index++) {
    Object.assign(tensors, layer(`source_layers.${index}`, width, feedForward, false));
    Object.assign(tensors, layer(`frame_layers.${index}`, width, feedForward, false));
  }
  const config = {
    model_type: 'foretoken-ctc',
    d_model: width,
    source_layers: layers,
    frame_layers: layers,
    attention_heads: heads,
    ffn_dim: feedForward,
    upsample: 2,
    activation_function: 'swish',
    max_position_embeddings: 2 * maxPositions,
    vocab_size: vocabularySize,
    eos_token_id: 2,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensors, seed, { 'head.token_ids': headTokenIds }));
  await writeFile(join(folder, 'tokenizer.json'), letterTokenizer(vocabularySize));
  return folder;
}
