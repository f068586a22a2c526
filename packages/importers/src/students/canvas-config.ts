import {
  type ConfigFolder,
  checkActivation,
  configHeads,
  configInteger,
  refuseConfig,
} from '../readers/hugging-face/config-fields.js';
import type { CanvasShape } from './canvas-graph.js';
import type { Lengths } from './canvas-open-graph.js';
import type { EncoderShape } from './encoder-shape.js';
import { checkStudent } from './student-config.js';

/** What config.json says of a network on canvases. */
export interface CanvasConfig {
  readonly shape: CanvasShape;
  /** Its layers read a source. */
  readonly readsSource: boolean;
  /** Its positions are given what a hint says there. */
  readonly readsHints: boolean;
  readonly maskTokenId: number;
  /** The length head, where there is one. */
  readonly lengths: Lengths | undefined;
}

/** What config.json says of an edit student; its mask is the placeholder. */
export interface EditConfig extends CanvasConfig {
  readonly startTokenId: number;
  readonly maxPlaceholders: number;
}

/** A canvas student of an encoder. Throws `INVALID_MODEL_FOLDER`. */
export function readCanvasStudent(folder: ConfigFolder, encoder: EncoderShape): CanvasConfig {
  checkStudent(folder, 'foretoken-canvas', 'a canvas student', encoder);
  const config = readCanvasConfig(folder, true);
  return { ...config, lengths: readLengths(folder, config) };
}

/** An edit student of an encoder. Throws `INVALID_MODEL_FOLDER`. */
export function readEditStudent(folder: ConfigFolder, encoder: EncoderShape): EditConfig {
  checkStudent(folder, 'foretoken-edit', 'an edit student', encoder);
  return {
    ...readCanvasConfig(folder, true),
    startTokenId: configInteger(folder, 'start_token_id', 0, encoder.vocabularySize - 1),
    maxPlaceholders: configInteger(folder, 'max_placeholders', 1, 65_536),
  };
}

/** A network on canvases, which reads a source or not. Throws `INVALID_MODEL_FOLDER`. */
export function readCanvasConfig(folder: ConfigFolder, readsSource: boolean): CanvasConfig {
  if ((folder.config.cross_attention ?? readsSource) !== readsSource) {
    const what = readsSource ? 'a student that reads the encoder' : 'a masked language model';
    refuseConfig(folder, 'cross_attention', what, readsSource);
  }
  const { reads_hints: readsHints = false } = folder.config;
  if (typeof readsHints !== 'boolean') refuseConfig(folder, 'reads_hints', 'this importer', 'true or false');
  if (readsHints && !readsSource) {
    refuseConfig(folder, 'reads_hints', 'a masked language model, which reads no source,', false);
  }
  checkActivation(folder);
  const width = configInteger(folder, 'd_model', 2, 65_536);
  if (width % 2 !== 0) refuseConfig(folder, 'd_model', 'a table of sinusoids', 'an even width');
  const vocabularySize = configInteger(folder, 'vocab_size', 3, 1_000_000);
  return {
    shape: {
      width,
      heads: configHeads(folder, width),
      feedForward: configInteger(folder, 'ffn_dim', 1, 1_000_000),
      layers: configInteger(folder, 'layers', 1, 256),
      vocabularySize,
      maxPositions: configInteger(folder, 'max_position_embeddings', 2, 65_536),
    },
    readsSource,
    readsHints,
    maskTokenId: configInteger(folder, 'mask_token_id', 0, vocabularySize - 1),
    lengths: undefined,
  };
}

/** The length head of a student; undefined without one. Throws `INVALID_MODEL_FOLDER`. */
function readLengths(folder: ConfigFolder, { readsHints, shape }: CanvasConfig): Lengths | undefined {
  // The class of a hint's length is told as a position.
  const max = readsHints ? shape.maxPositions : 65_536;
  const classes = folder.config.length_classes === undefined ? 0 : configInteger(folder, 'length_classes', 0, max);
  if (classes === 0) return undefined;
  return { classes, offset: configInteger(folder, 'length_offset', 0, 65_536) };
}
