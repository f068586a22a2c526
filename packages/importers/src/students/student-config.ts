import { ForetokenError, type Yielder } from '@foretoken/core';
import { invalidFolder, quote, type WeightTensor } from '@foretoken/models/folder';
import type { MarianShape } from '../architectures/marian/marian-shape.js';
import type { TensorOf } from '../blocks/layers.js';
import { findNonFinite } from '../graphs/half-storage.js';
import { configInteger, type WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { toFloat32InPieces } from '../readers/safetensors/read-safetensors.js';
import type { CtcShape } from './ctc-graph.js';
import type { DagShape } from './dag-graph.js';
import type { FrameShape } from './frames.js';

/**
 * The weights of a folder by name and shape, as fp32. Throws `INVALID_MODEL_FOLDER`: at once for a tensor that does not fit,
 * when the values are made for one that holds NaN or an infinite number.
 */
export function tensorReader(folder: WeightsFolder): TensorOf {
  return (name, dims) => {
    const tensor = folder.tensor(name, dims);
    return { dims, values: (pace) => finiteValues(folder, name, tensor, pace) };
  };
}

async function finiteValues(
  { path }: WeightsFolder,
  name: string,
  tensor: WeightTensor,
  pace: Yielder,
): Promise<Float32Array> {
  const values = await toFloat32InPieces(tensor, pace);
  const index = await findNonFinite(values, pace);
  if (index < 0) return values;
  const received = values[index];
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `model.safetensors in ${path}: tensor ${quote(name)} holds ${received} at index ${index}, but weights must be finite numbers. Train or export the model again.`,
    { folder: path, file: 'model.safetensors', field: name, index, received, required: 'finite numbers' },
  );
}

/** Throws `INVALID_MODEL_FOLDER`: a field of config.json is not what the model needs. */
export function refuseConfig({ path, config }: WeightsFolder, field: string, what: string, required: unknown): never {
  throw invalidFolder(
    `${path}: config.json has ${field} = ${quote(config[field])}, but ${what} needs ${String(required)}.`,
    { folder: path, file: 'config.json', field, received: config[field], required },
  );
}

/** Throws `INVALID_MODEL_FOLDER` unless a student of this kind reads this Marian model's states and vocabulary. */
export function checkStudent(folder: WeightsFolder, modelType: string, what: string, marian: MarianShape): void {
  for (const [field, received, required] of [
    ['model_type', folder.config.model_type, modelType],
    ['d_model', configInteger(folder, 'd_model', 2, 65_536), marian.width],
    ['vocab_size', configInteger(folder, 'vocab_size', 3, 1_000_000), marian.vocabularySize],
  ] as const) {
    if (received !== required) refuseConfig(folder, field, `${what} of this model`, required);
  }
}

/** Heads of a student, a divisor of its width, which must be even. */
export function configHeads(folder: WeightsFolder, width: number, field = 'attention_heads'): number {
  const heads = configInteger(folder, field, 1, 1024);
  if (width % heads !== 0) refuseConfig(folder, field, 'attention', `a divisor of the width, ${width}`);
  return heads;
}

/** Throws `INVALID_MODEL_FOLDER` unless the activation is SiLU, where config.json names one. */
export function checkActivation(folder: WeightsFolder): void {
  const { activation_function: activation } = folder.config;
  if (activation !== undefined && activation !== 'swish' && activation !== 'silu') {
    refuseConfig(folder, 'activation_function', 'this importer', '"swish"');
  }
}

/** Sizes of a CTC student; without `encoder_layers` it reads the states after all of them. Throws `INVALID_MODEL_FOLDER`. */
export function readCtcShape(folder: WeightsFolder, marian: MarianShape): CtcShape {
  checkStudent(folder, 'foretoken-ctc', 'a CTC student', marian);
  const shape = readFrameShape(folder, marian);
  const { frameLayers } = shape;
  const draftFrameLayers =
    folder.config.draft_frame_layers === undefined
      ? frameLayers
      : configInteger(folder, 'draft_frame_layers', 0, frameLayers);
  const encoderLayers =
    folder.config.encoder_layers === undefined
      ? marian.encoderLayers
      : configInteger(folder, 'encoder_layers', 0, marian.encoderLayers);
  return { ...shape, encoderLayers, draftFrameLayers };
}

/** Sizes of a DAG student. Throws `INVALID_MODEL_FOLDER`. */
export function readDagShape(folder: WeightsFolder, marian: MarianShape): DagShape {
  checkStudent(folder, 'foretoken-dag', 'a DAG student', marian);
  checkActivation(folder);
  const shape = readFrameShape(folder, marian);
  return { ...shape, linkHeads: configHeads(folder, shape.width, 'link_heads') };
}

function readFrameShape(folder: WeightsFolder, { width, maxPositions: sourcePositions }: MarianShape): FrameShape {
  const upsample = configInteger(folder, 'upsample', 1, 16);
  const trained = configInteger(folder, 'max_position_embeddings', 1, 1_000_000);
  return {
    width,
    heads: configHeads(folder, width),
    feedForward: configInteger(folder, 'ffn_dim', 1, 1_000_000),
    sourceLayers: configInteger(folder, 'source_layers', 0, 256),
    frameLayers: configInteger(folder, 'frame_layers', 0, 256),
    upsample,
    // Sinusoids need no training: there are as many as the longest source needs.
    maxPositions: Math.max(trained, upsample * sourcePositions),
  };
}

/** Token ids of the rows of a student's head, different ones of the vocabulary. Throws `INVALID_MODEL_FOLDER`. */
export function readHeadTokenIds(folder: WeightsFolder, vocabularySize: number): number[] {
  const ids = folder.integers('head.token_ids');
  const refuse = (received: unknown, what: string): never => {
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${folder.path}: head.token_ids ${what}.`, {
      folder: folder.path,
      field: 'head.token_ids',
      received,
      size: vocabularySize,
    });
  };
  if (ids.length === 0) refuse(0, 'is empty; at least one token is required');
  const seen = new Set<number>();
  for (const id of ids) {
    if (id < 0 || id >= vocabularySize) refuse(id, `holds ${id}, outside the vocabulary of ${vocabularySize}`);
    if (seen.has(id)) refuse(id, `holds ${id} twice; each token may have one row`);
    seen.add(id);
  }
  return ids;
}
