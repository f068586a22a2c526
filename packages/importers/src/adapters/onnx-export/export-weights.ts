import {
  CONFIG,
  type ModelFolder,
  quote,
  readRegularFile,
  readTokenizerConfig,
  readTokenizerFiles,
  unsupportedModel,
} from '@foretoken/models/internal';
import { fileExists } from '../../readers/file-exists.js';
import { readChat } from '../../readers/hugging-face/read-chat.js';
import { readGenerationConfig, readObject } from '../../readers/hugging-face/read-object.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import type { StoredTensor } from '../../readers/stored-tensor.js';
import { graphWeights } from './graph-weights.js';

/** Before the names of an encoder's own weights, in the networks that have one. */
const ENCODERS = ['model.encoder.', 'encoder.'];

/**
 * The weights of a folder of an exporter, taken out of its graphs. Throws `UNSUPPORTED_MODEL` for graphs that are not in fp32,
 * `INVALID_MODEL_FOLDER`.
 */
export async function openExportWeights(folder: ModelFolder): Promise<WeightsFolder> {
  const { path, manifest } = folder;
  // The adapter of such folders has put it there.
  const { precision } = manifest as { readonly precision?: unknown };
  if (precision !== 'fp32') {
    throw unsupportedModel(
      `${path}: its graphs hold weights in ${quote(precision)}, but fp32 is required to take them out.`,
      { folder: path, field: 'precision', received: precision, required: 'fp32' },
    );
  }
  const tensors = new Map<string, StoredTensor>();
  const put = (weights: ReadonlyMap<string, StoredTensor>, prefixes: readonly string[]): void => {
    for (const [name, tensor] of weights) {
      for (const prefix of prefixes) if (!tensors.has(prefix + name)) tensors.set(prefix + name, tensor);
    }
  };
  const graphs = Object.keys(manifest.files).filter((file) => file.endsWith('.onnx'));
  const isEncoder = (file: string): boolean => /(^|\/)encoder_model[^/]*$/.test(file);
  // A decoder's names are those of the whole network.
  for (const file of graphs.filter((file) => !isEncoder(file))) put(await graphWeights(folder, file), ['']);
  for (const file of graphs.filter(isEncoder)) put(await graphWeights(folder, file), ENCODERS);
  const reader = {
    path,
    has: (name: string) => fileExists(path, name),
    read: (name: string, max: number) => readRegularFile({ folder: path, file: name }, { links: true, max }),
  };
  const missing = (name: string, received: string, required: string): never => {
    throw unsupportedModel(
      `${path}: its graphs hold no tensor ${quote(name)} of ${required}, but ${received}: they were made or rewritten in a way that its weights cannot be taken out. Load it as it is.`,
      { folder: path, file: graphs.find((file) => !isEncoder(file)), field: name, received, required },
    );
  };
  return {
    path,
    config: await readObject(reader, CONFIG),
    generationConfig: await readGenerationConfig(reader),
    format: 'onnx',
    elementTypes: [...new Set([...tensors.values()].map(({ dtype }) => dtype))],
    tensors,
    tokenizer: await readTokenizerFiles(reader),
    readTokenizerConfig: () => readTokenizerConfig(reader),
    readChat: () => readChat(reader),
    tensor: (name, shape) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.length === shape.length && shape.every((size, axis) => size === tensor.shape[axis])) {
        return tensor;
      }
      return missing(name, tensor === undefined ? 'nothing' : `[${tensor.shape.join(', ')}]`, `[${shape.join(', ')}]`);
    },
    integers: async (name) => missing(name, 'nothing', 'integers'),
  };
}
