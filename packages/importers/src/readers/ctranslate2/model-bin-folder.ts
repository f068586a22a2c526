import { Yielder } from '@foretoken/core/kit';
import {
  CONFIG,
  type FilePlace,
  invalidFolder,
  quote,
  readTokenizerConfig,
  unsupportedModel,
} from '@foretoken/models/internal';
import { folderReader } from '../folder-reader.js';
import { readChat } from '../hugging-face/read-chat.js';
import { readGenerationConfig, readObject } from '../hugging-face/read-object.js';
import type { WeightsFolder } from '../hugging-face/weights-folder.js';
import { joinGeneration } from './join-generation.js';
import { openModelBin } from './open-model-bin.js';
import { KNOWN_SPECS } from './specs/known-specs.js';

export const MODEL_BIN = 'model.bin';

/**
 * A folder of CTranslate2 as a weights folder: `model.bin` with its variables by the names of transformers, `config.json`, and
 * what lies beside it for texts. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason.
 */
export async function openModelBinFolder(folder: string, signal?: AbortSignal): Promise<WeightsFolder> {
  const place: FilePlace = { folder, file: MODEL_BIN };
  const file = await openModelBin(place);
  signal?.throwIfAborted();
  const { spec, revision } = file;
  const known = KNOWN_SPECS.get(spec);
  if (known === undefined) {
    const required = [...KNOWN_SPECS.keys()];
    throw unsupportedModel(
      `${MODEL_BIN} in ${folder} is a ${quote(spec)}, which is not supported; supported: ${required.join(', ')}. Import the weights that it was converted from.`,
      { ...place, field: 'spec name', received: spec, required },
    );
  }
  if (!known.revisions.includes(revision)) {
    throw unsupportedModel(
      `${MODEL_BIN} in ${folder} has revision ${revision} of ${spec}; ${known.revisions.join(', ')} is required. Convert the model again with CTranslate2 4.`,
      { ...place, field: 'spec revision', received: revision, required: known.revisions },
    );
  }
  const reader = folderReader(folder);
  const given = (await reader.has(CONFIG)) ? await readObject(reader, CONFIG) : {};
  const told = await readGenerationConfig(reader);
  const { config, origins, tokenizer, ...model } = await known.read({ place, file, given, told, reader });
  const { generationConfig, notes } = joinGeneration(model.generationConfig, told);
  signal?.throwIfAborted();
  const tensors = await model.tensors(new Yielder(signal));
  return {
    path: folder,
    config,
    file: MODEL_BIN,
    origins,
    generationConfig,
    notes: [...(model.notes ?? []), ...notes],
    format: 'ctranslate2',
    elementTypes: file.elementTypes,
    tensors,
    tokenizer,
    readTokenizerConfig: () => readTokenizerConfig(reader),
    readChat: () => readChat(reader),
    tensor: (name, shape) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.length === shape.length && shape.every((size, at) => size === tensor.shape[at])) return tensor;
      const own = tensor?.ownName ?? model.variableOf?.(name);
      const called =
        own === undefined
          ? `the tensor ${quote(name)} (as transformers names it)`
          : `${own} (${quote(name)} in transformers)`;
      throw invalidFolder(
        `${MODEL_BIN} in ${folder}: ${called} is ${tensor === undefined ? 'missing' : `[${tensor.shape.join(', ')}]`}, but it must be [${shape.join(', ')}]. Convert the model again.`,
        { ...place, field: own ?? name, received: tensor?.shape ?? 'missing', required: shape },
      );
    },
    integers: async (name) => {
      throw invalidFolder(`${MODEL_BIN} in ${folder} has no list of integers ${quote(name)}.`, {
        ...place,
        field: name,
      });
    },
  };
}
