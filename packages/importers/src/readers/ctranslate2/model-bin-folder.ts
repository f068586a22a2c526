import { Yielder } from '@foretoken/core/kit';
import {
  CONFIG,
  decodeUtf8,
  type FilePlace,
  invalidFolder,
  isObject,
  MANIFEST_BYTES,
  parseJson,
  quote,
  readRegularFile,
  readTokenizerConfig,
  unsupportedModel,
} from '@foretoken/models/internal';
import { fileExists } from '../file-exists.js';
import { readChat } from '../hugging-face/read-chat.js';
import type { WeightsFolder } from '../hugging-face/weights-folder.js';
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
  const reader = {
    path: folder,
    has: (name: string) => fileExists(folder, name),
    read: (name: string, max: number) => readRegularFile({ folder, file: name }, { links: true, max }),
  };
  const given = (await reader.has(CONFIG)) ? await readConfig(folder, reader.read) : {};
  const {
    config,
    generationConfig,
    tokenizer,
    notes,
    tensors: read,
  } = await known.read({ place, file, given, reader });
  signal?.throwIfAborted();
  const tensors = await read(new Yielder(signal));
  return {
    path: folder,
    config,
    generationConfig,
    notes,
    format: 'ctranslate2',
    elementTypes: file.elementTypes,
    tensors,
    tokenizer,
    readTokenizerConfig: () => readTokenizerConfig(reader),
    readChat: () => readChat(reader),
    tensor: (name, shape) => {
      const tensor = tensors.get(name);
      if (tensor?.shape.length === shape.length && shape.every((size, at) => size === tensor.shape[at])) return tensor;
      throw invalidFolder(
        `${MODEL_BIN} in ${folder}: the tensor ${quote(name)} (as transformers names it) is ${tensor === undefined ? 'missing' : `[${tensor.shape.join(', ')}]`}, but it must be [${shape.join(', ')}]. Convert the model again.`,
        { ...place, field: name, received: tensor?.shape ?? 'missing', required: shape },
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

async function readConfig(
  folder: string,
  read: (name: string, max: number) => Promise<Uint8Array>,
): Promise<Readonly<Record<string, unknown>>> {
  const content = parseJson(decodeUtf8(await read(CONFIG, MANIFEST_BYTES), CONFIG, { folder }), CONFIG, { folder });
  if (isObject(content)) return content;
  throw invalidFolder(`${CONFIG} in ${folder} is ${quote(content)}, but it must be a JSON object.`, {
    folder,
    file: CONFIG,
    field: 'the whole file',
    received: content,
    required: 'an object',
  });
}
