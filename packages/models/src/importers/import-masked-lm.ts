import { WeightStore } from '../onnx/weight-store.js';
import { configInteger, type WeightsFolder } from '../weights/weights-folder.js';
import { readCanvasNetwork } from './canvas-config.js';
import type { CanvasNetwork } from './canvas-graph.js';
import { graphEmitter, WEIGHTS_FILE } from './graph-files.js';
import { emitFills } from './import-students.js';

/** Graphs and facts of an imported masked language model, ready to be written as a model folder. */
export interface ImportedMaskedLanguageModel {
  readonly files: Map<string, Uint8Array | string>;
  readonly network: CanvasNetwork;
  readonly fill: ReturnType<typeof emitFills>;
  readonly endTokenId: number;
}

/** Whether a weights folder holds a network on canvases that reads no source. */
export function isMaskedLanguageModel({ config }: WeightsFolder): boolean {
  return config.model_type === 'foretoken-canvas' && config.cross_attention === false;
}

/** Turns the weights folder of a masked language model into fill graphs. Throws `INVALID_MODEL_FOLDER`. */
export function importMaskedLanguageModel(
  folder: WeightsFolder,
  weights: 'float32' | 'float16',
): ImportedMaskedLanguageModel {
  const network = readCanvasNetwork(folder, 'canvas');
  const endTokenId = configInteger(folder, 'eos_token_id', 0, network.shape.vocabularySize - 1);
  const store = new WeightStore(weights);
  const files = new Map<string, Uint8Array | string>();
  const fill = emitFills(network, graphEmitter(store, files));
  files.set(WEIGHTS_FILE, store.bytes());
  files.set('tokenizer.json', folder.tokenizerJson);
  return { files, network, fill, endTokenId };
}
