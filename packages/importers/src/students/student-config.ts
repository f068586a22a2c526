import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import { invalidFolder, quote } from '@foretoken/models/folder';
import { configInteger, type WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { CtcShape } from './ctc-graph.js';
import type { DagShape } from './dag-graph.js';
import type { EncoderShape } from './encoder-shape.js';
import type { FrameShape } from './frames.js';

/** Throws `INVALID_MODEL_FOLDER`: a field of config.json is not what the model needs. */
export function refuseConfig({ path, config }: WeightsFolder, field: string, what: string, required: unknown): never {
  throw invalidFolder(
    `${path}: config.json has ${field} = ${quote(config[field])}, but ${what} needs ${String(required)}.`,
    { folder: path, file: 'config.json', field, received: config[field], required },
  );
}

/** Throws `INVALID_MODEL_FOLDER` unless a student of this kind reads this encoder's states and vocabulary. */
export function checkStudent(folder: WeightsFolder, modelType: string, what: string, encoder: EncoderShape): void {
  for (const [field, received, required] of [
    ['model_type', folder.config.model_type, modelType],
    ['d_model', configInteger(folder, 'd_model', 2, 65_536), encoder.width],
    ['vocab_size', configInteger(folder, 'vocab_size', 3, 1_000_000), encoder.vocabularySize],
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
export function readCtcShape(folder: WeightsFolder, encoder: EncoderShape): CtcShape {
  checkStudent(folder, 'foretoken-ctc', 'a CTC student', encoder);
  const shape = readFrameShape(folder, encoder);
  const { frameLayers } = shape;
  const draftFrameLayers =
    folder.config.draft_frame_layers === undefined
      ? frameLayers
      : configInteger(folder, 'draft_frame_layers', 0, frameLayers);
  const encoderLayers =
    folder.config.encoder_layers === undefined
      ? encoder.encoderLayers
      : configInteger(folder, 'encoder_layers', 0, encoder.encoderLayers);
  return { ...shape, encoderLayers, draftFrameLayers };
}

/** Sizes of a DAG student. Throws `INVALID_MODEL_FOLDER`. */
export function readDagShape(folder: WeightsFolder, encoder: EncoderShape): DagShape {
  checkStudent(folder, 'foretoken-dag', 'a DAG student', encoder);
  checkActivation(folder);
  const shape = readFrameShape(folder, encoder);
  return { ...shape, linkHeads: configHeads(folder, shape.width, 'link_heads') };
}

function readFrameShape(folder: WeightsFolder, { width, maxPositions: sourcePositions }: EncoderShape): FrameShape {
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
export async function readHeadTokenIds(
  folder: WeightsFolder,
  vocabularySize: number,
  pace: Yielder,
): Promise<number[]> {
  const ids = await folder.integers('head.token_ids', pace);
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
