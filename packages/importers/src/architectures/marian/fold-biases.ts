import type { Yielder } from '@foretoken/core/kit';
import type { DeferredDense } from '../../tensors/matrices.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { MarianShape } from './marian-shape.js';

/** What the layers of a side are called in a checkpoint, before their number. */
export const stackName = (side: 'encoder' | 'decoder'): string => `model.${side}.layers`;
const ENCODER_STACK = stackName('encoder');

/** A residual block of a post-norm Transformer: `LayerNorm(x + out(sublayer(x)))`. */
interface Block {
  /** The normalisation that makes the block's input, without `.weight` and `.bias`. */
  readonly input: string;
  /** Linear layers that read the input, without `.weight` and `.bias`. */
  readonly readers: readonly string[];
  /** The linear layer that closes the block. */
  readonly out: string;
}

/** Weights with the closing biases of residual blocks folded away, and the names of the biases that are gone. */
export interface FoldedBiases {
  readonly tensorOf: TensorOf;
  readonly folded: ReadonlySet<string>;
}

/**
 * Names of the closing biases that `foldBiases` may move: no number of one is larger than the input's usual size. A larger one would
 * leave the input fewer digits: 70,000 beside 1 leaves two of seven. Throws `INVALID_MODEL_FOLDER` for values that are not finite.
 */
export async function foldableBiases(
  tensorOf: TensorOf,
  shape: MarianShape,
  pace: Yielder,
): Promise<ReadonlySet<string>> {
  const { width } = shape;
  const foldable = new Set<string>();
  const valuesOf = (name: string): Promise<Float32Array> => tensorOf(name, [width]).values(pace);
  for (const { input, out } of allBlocks(shape)) {
    const usual = Math.hypot(meanSize(await valuesOf(`${input}.weight`)), meanSize(await valuesOf(`${input}.bias`)));
    const bias = await valuesOf(`${out}.bias`);
    if (bias.every((value) => Math.abs(value) <= usual)) foldable.add(`${out}.bias`);
  }
  return foldable;
}

/**
 * Moves closing biases b of blocks into the normalisation before them: the input becomes x + b, so the residual sum already
 * holds b, and the layers that read the input get `bias - W b`, so they see x as before. Exact but for rounding where b is in
 * `foldable`, and an addition fewer a block. The first block of a stack stays, since its input is an embedding.
 */
export function foldBiases(tensorOf: TensorOf, shape: MarianShape, foldable: ReadonlySet<string>): FoldedBiases {
  const { width } = shape;
  const changed = new Map<string, DeferredDense>();
  const folded = new Set<string>();
  const current = (name: string, length: number): DeferredDense => changed.get(name) ?? tensorOf(name, [length]);
  for (const { input, readers, out } of allBlocks(shape)) {
    if (!foldable.has(`${out}.bias`)) continue;
    const bias = tensorOf(`${out}.bias`, [width]);
    changed.set(`${input}.bias`, shifted(current(`${input}.bias`, width), bias));
    for (const reader of readers) {
      const outputs = reader.endsWith('.fc1') ? feedForwardOf(reader, shape) : width;
      const weight = tensorOf(`${reader}.weight`, [outputs, width]);
      changed.set(`${reader}.bias`, withoutProduct(current(`${reader}.bias`, outputs), weight, bias));
    }
    folded.add(`${out}.bias`);
  }
  return { tensorOf: (name, dims) => changed.get(name) ?? tensorOf(name, dims), folded };
}

/** The root of the mean square. */
function meanSize(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** `vector + bias`. */
function shifted(vector: DeferredDense, bias: DeferredDense): DeferredDense {
  const values = async (pace: Yielder): Promise<Float32Array> => {
    const added = await bias.values(pace);
    return (await vector.values(pace)).map((value, index) => value + added[index]);
  };
  return { dims: vector.dims, values, exact: true };
}

/** `vector - weight bias`. */
function withoutProduct(vector: DeferredDense, weight: DeferredDense, bias: DeferredDense): DeferredDense {
  const values = async (pace: Yielder): Promise<Float32Array> => {
    const factors = await bias.values(pace);
    const matrix = await weight.values(pace);
    const width = factors.length;
    return (await vector.values(pace)).map((value, row) => {
      let sum = 0;
      for (let column = 0; column < width; column++) {
        sum += matrix[row * width + column] * factors[column];
      }
      return value - sum;
    });
  };
  return { dims: vector.dims, values, exact: true };
}

/**
 * `foldBiases` of the encoder's first layers alone, under `stack` instead of their names: in the whole encoder, the states
 * between two layers hold a bias of the latter already.
 */
export function foldFirstLayers(
  tensorOf: TensorOf,
  shape: MarianShape,
  encoderLayers: number,
  stack: string,
  foldable: ReadonlySet<string>,
): FoldedBiases {
  const first = foldBiases(tensorOf, { ...shape, encoderLayers, decoderLayers: 0 }, foldable);
  return {
    tensorOf: (name, dims) => first.tensorOf(name.replace(stack, ENCODER_STACK), dims),
    folded: new Set([...first.folded].map((name) => name.replace(ENCODER_STACK, stack))),
  };
}

function feedForwardOf(reader: string, shape: MarianShape): number {
  return reader.startsWith('model.encoder.') ? shape.encoderFeedForward : shape.decoderFeedForward;
}

const allBlocks = ({ encoderLayers, decoderLayers }: MarianShape): Block[] => [
  ...blocksOf('encoder', encoderLayers),
  ...blocksOf('decoder', decoderLayers),
];

/** The blocks of a stack, the first one left out. */
function blocksOf(side: 'encoder' | 'decoder', layers: number): Block[] {
  const blocks: Block[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.${side}.layers.${layer}`;
    if (layer > 0) {
      blocks.push({
        input: `model.${side}.layers.${layer - 1}.final_layer_norm`,
        readers: ['q_proj', 'k_proj', 'v_proj'].map((part) => `${prefix}.self_attn.${part}`),
        out: `${prefix}.self_attn.out_proj`,
      });
    }
    let input = `${prefix}.self_attn_layer_norm`;
    if (side === 'decoder') {
      blocks.push({ input, readers: [`${prefix}.encoder_attn.q_proj`], out: `${prefix}.encoder_attn.out_proj` });
      input = `${prefix}.encoder_attn_layer_norm`;
    }
    blocks.push({ input, readers: [`${prefix}.fc1`], out: `${prefix}.fc2` });
  }
  return blocks;
}
