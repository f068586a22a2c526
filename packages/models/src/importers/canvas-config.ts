import { configInteger, type WeightsFolder } from '../weights/weights-folder.js';
import type { CanvasNetwork } from './canvas-graph.js';
import { checkActivation, configHeads, readHeadTokenIds, refuseConfig, tensorReader } from './student-config.js';

/**
 * The network on canvases that a weights folder holds; its graphs keep their weights under `name`. Without an `embedding`
 * of the encoder's it has one of its own. Throws `INVALID_MODEL_FOLDER`.
 */
export function readCanvasNetwork(
  folder: WeightsFolder,
  name: string,
  embedding?: CanvasNetwork['embedding'],
): CanvasNetwork {
  const readsSource = embedding !== undefined;
  if ((folder.config.cross_attention ?? readsSource) !== readsSource) {
    const what = readsSource ? 'a student that reads the encoder' : 'a masked language model';
    refuseConfig(folder, 'cross_attention', what, readsSource);
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
    maskTokenId: configInteger(folder, 'mask_token_id', 0, vocabularySize - 1),
    headTokenIds: readHeadTokenIds(folder, vocabularySize),
    tensorOf,
    embedding: embedding ?? {
      name: `${name}.embed.weight`,
      table: tensorOf('embed.weight', [vocabularySize, width]),
    },
  };
}

/** The length head of a student: class c means c - offset tokens more than its source has; undefined without one. */
export function readLengths(folder: WeightsFolder): { readonly classes: number; readonly offset: number } | undefined {
  const classes = folder.config.length_classes === undefined ? 0 : configInteger(folder, 'length_classes', 0, 65_536);
  if (classes === 0) return undefined;
  return { classes, offset: configInteger(folder, 'length_offset', 0, 65_536) };
}
