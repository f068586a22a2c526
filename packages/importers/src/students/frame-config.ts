import {
  type ConfigFolder,
  checkActivation,
  configHeads,
  configInteger,
} from '../readers/hugging-face/config-fields.js';
import type { CtcShape } from './ctc-graph.js';
import type { DagShape } from './dag-graph.js';
import type { EncoderShape } from './encoder-shape.js';
import type { FrameShape } from './frames.js';
import { checkStudent } from './student-config.js';

/** What config.json says of a DAG student. */
export interface DagConfig {
  readonly shape: DagShape;
  readonly startTokenId: number;
}

/** Sizes of a CTC student; without `encoder_layers` it reads the states after all of them. Throws `INVALID_MODEL_FOLDER`. */
export function readCtcShape(folder: ConfigFolder, encoder: EncoderShape): CtcShape {
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

/** A DAG student. Throws `INVALID_MODEL_FOLDER`. */
export function readDagConfig(folder: ConfigFolder, encoder: EncoderShape): DagConfig {
  checkStudent(folder, 'foretoken-dag', 'a DAG student', encoder);
  checkActivation(folder);
  const shape = readFrameShape(folder, encoder);
  return {
    shape: { ...shape, linkHeads: configHeads(folder, shape.width, 'link_heads') },
    startTokenId: configInteger(folder, 'start_token_id', 0, encoder.vocabularySize - 1),
  };
}

function readFrameShape(folder: ConfigFolder, { width, maxPositions: sourcePositions }: EncoderShape): FrameShape {
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
