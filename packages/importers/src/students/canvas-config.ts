import type { Yielder } from '@foretoken/core/kit';
import { configInteger, type WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { tensorReader } from '../tensors/tensor-reader.js';
import type { CanvasNetwork } from './canvas-graph.js';
import type { Lengths } from './canvas-open-graph.js';
import type { CtcStudent } from './ctc-graph.js';
import { checkActivation, configHeads, readHeadTokenIds, refuseConfig } from './student-config.js';

/**
 * The network on canvases that a weights folder holds; its graphs keep their weights under `name`. Without an `embedding`
 * of the encoder's it has one of its own. Throws `INVALID_MODEL_FOLDER`.
 */
export async function readCanvasNetwork(
  folder: WeightsFolder,
  name: string,
  pace: Yielder,
  embedding?: CanvasNetwork['embedding'],
): Promise<CanvasNetwork> {
  const readsSource = embedding !== undefined;
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
  const tensorOf = tensorReader(folder);
  return {
    name,
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
    headTokenIds: await readHeadTokenIds(folder, vocabularySize, pace),
    tensorOf,
    embedding: embedding ?? {
      name: `${name}.embed.weight`,
      table: tensorOf('embed.weight', [vocabularySize, width]),
    },
  };
}

/** The CTC student whose hints a network reads; undefined where it reads none. Throws `INVALID_MODEL_FOLDER` without one. */
export function hintStudent(
  folder: WeightsFolder,
  { readsHints }: CanvasNetwork,
  ctc: CtcStudent | undefined,
): CtcStudent | undefined {
  if (!readsHints) return undefined;
  if (ctc === undefined) {
    const required = 'the CTC student that makes hints: give its weights folder, too';
    refuseConfig(folder, 'reads_hints', 'a student that reads hints', required);
  }
  return ctc;
}

/** The length head of a student; undefined without one. Throws `INVALID_MODEL_FOLDER`. */
export function readLengths(folder: WeightsFolder, { readsHints, shape }: CanvasNetwork): Lengths | undefined {
  // The class of a hint's length is told as a position.
  const most = readsHints ? shape.maxPositions : 65_536;
  const classes = folder.config.length_classes === undefined ? 0 : configInteger(folder, 'length_classes', 0, most);
  if (classes === 0) return undefined;
  return { classes, offset: configInteger(folder, 'length_offset', 0, 65_536) };
}
