import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeUpTokenizer } from './made-up-tokenizer.js';
import { type MarianSizes, marianTensors, OPUS_MT, type TensorShapes } from './marian-shapes.js';

/** Values that are made before they are written. */
const CHUNK = 2 ** 18;

/**
 * Writes a Marian weights folder with made-up fp32 weights, laid out as transformers does: config.json, generation_config.json,
 * tokenizer.json, model.safetensors. The same sizes and seed give the same bytes. Returns the bytes of its weights.
 *
 * What such a model says means nothing; what it costs is what a trained one of its size costs.
 */
export async function writeWeightsFolder(path: string, sizes: MarianSizes = OPUS_MT, seed = 1): Promise<number> {
  const { vocabularySize } = sizes;
  const pad = vocabularySize - 1;
  const tokens = { bos_token_id: 0, eos_token_id: 0, pad_token_id: pad, decoder_start_token_id: pad };
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'config.json'), json({ ...configOf(sizes), ...tokens }));
  const generation = { ...tokens, bad_words_ids: [[pad]], forced_eos_token_id: 0, max_length: 512, num_beams: 4 };
  await writeFile(join(path, 'generation_config.json'), json({ ...generation, renormalize_logits: true }));
  await writeFile(join(path, 'tokenizer.json'), madeUpTokenizer(vocabularySize));
  return writeTensors(join(path, 'model.safetensors'), marianTensors(sizes), seed);
}

const json = (content: object): string => `${JSON.stringify(content, null, 2)}\n`;

function configOf({ vocabularySize, width, heads, feedForward, layers, positions }: MarianSizes): object {
  return {
    model_type: 'marian',
    activation_function: 'swish',
    d_model: width,
    encoder_layers: layers,
    decoder_layers: layers,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    encoder_ffn_dim: feedForward,
    decoder_ffn_dim: feedForward,
    max_position_embeddings: positions,
    vocab_size: vocabularySize,
    scale_embedding: true,
    static_position_embeddings: true,
    share_encoder_decoder_embeddings: true,
    tie_word_embeddings: true,
    normalize_before: false,
    normalize_embedding: false,
    add_final_layer_norm: false,
  };
}

/** Writes a safetensors file piece by piece; returns the bytes of its tensors. */
async function writeTensors(path: string, shapes: TensorShapes, seed: number): Promise<number> {
  let bytes = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, shape] of Object.entries(shapes)) {
    const begin = bytes;
    bytes += 4 * sizeOf(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, bytes] };
  }
  const text = JSON.stringify(header);
  const head = Buffer.alloc(8 + 8 * Math.ceil(text.length / 8), ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8));
  head.write(text, 8);
  const file = await open(path, 'w');
  try {
    await file.writeFile(head);
    const random = generator(seed);
    for (const [name, shape] of Object.entries(shapes)) {
      const isScale = name.endsWith('layer_norm.weight');
      // As wide as training begins with: a product of inputs with variance 1 has variance 1.
      const spread = shape.length > 1 ? Math.sqrt(3 / (shape.at(-1) ?? 1)) : 0.02;
      for (let left = sizeOf(shape); left > 0; left -= CHUNK) {
        const values = new Float32Array(Math.min(left, CHUNK));
        for (let index = 0; index < values.length; index++) values[index] = spread * random() + (isScale ? 1 : 0);
        await file.writeFile(new Uint8Array(values.buffer));
      }
    }
  } finally {
    await file.close();
  }
  return bytes;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers from -1 to 1; xorshift32 (Marsaglia, 2003). */
function generator(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
