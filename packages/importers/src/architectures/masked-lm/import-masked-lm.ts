import type { Yielder } from '@foretoken/core';
import type { FileContent, FillGraphFiles } from '@foretoken/models/folder';
import { GraphFiles } from '../../graphs/graph-files.js';
import { configInteger, type WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { readCanvasNetwork } from '../../students/canvas-config.js';
import type { CanvasNetwork } from '../../students/canvas-graph.js';
import { emitFills } from '../../students/import-students.js';

/** Graphs and facts of an imported masked language model, ready to be written as a model folder. */
export interface ImportedMaskedLanguageModel {
  readonly files: Map<string, FileContent>;
  readonly network: CanvasNetwork;
  readonly fill: Required<FillGraphFiles>;
  readonly endTokenId: number;
}

/** Whether a weights folder holds a network on canvases that reads no source. */
export function isMaskedLanguageModel({ config }: WeightsFolder): boolean {
  return config.model_type === 'foretoken-canvas' && config.cross_attention === false;
}

/** Turns the weights folder of a masked language model into fill graphs. Throws `INVALID_MODEL_FOLDER`. */
export async function importMaskedLanguageModel(
  folder: WeightsFolder,
  weights: 'float32' | 'float16',
  pace: Yielder,
): Promise<ImportedMaskedLanguageModel> {
  const network = readCanvasNetwork(folder, 'canvas');
  const endTokenId = configInteger(folder, 'eos_token_id', 0, network.shape.vocabularySize - 1);
  const graphs = new GraphFiles(weights, pace);
  const fill = await emitFills(network, graphs.emit);
  const files = await graphs.finish();
  files.set('tokenizer.json', folder.tokenizerJson);
  return { files, network, fill, endTokenId };
}
