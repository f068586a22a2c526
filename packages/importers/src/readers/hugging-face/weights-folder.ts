import { readdir } from 'node:fs/promises';
import type { Yielder } from '@foretoken/core/kit';
import {
  CONFIG,
  type ConfigFiles,
  errorCode,
  type ImportNote,
  invalidFolder,
  isObject,
  quote,
  readTokenizerConfig,
  readTokenizerFiles,
  reason,
  resolveFolder,
  type TokenizerFiles,
  unsupportedModel,
} from '@foretoken/models/internal';
import type { ChatFiles } from '../chat-template.js';
import { fileExists } from '../file-exists.js';
import { folderReader } from '../folder-reader.js';
import { openNpz } from '../npz/open-npz.js';
import { refusePickles } from '../pickles.js';
import { openSafetensors } from '../safetensors/open-safetensors.js';
import { openShards } from '../safetensors/open-shards.js';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { readChat } from './read-chat.js';
import { readGenerationConfig, readObject } from './read-object.js';
import { refuseCtc } from './refuse-ctc.js';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Integers that are read before other work may have its turn. */
const INTEGERS = 2 ** 16;

/** The file that says how texts become tokens, of models of a config; undefined for tokenizer.json. */
export type TokenizerOf = (config: WeightsFolder['config']) => string | undefined;

/** A Hugging Face weights folder; its tensors are read when they are asked for. */
export interface WeightsFolder extends ConfigFiles {
  /** What the folder lacks, or has and is not used. */
  readonly notes?: readonly ImportNote[] | undefined;
  /** What the weights come as, such as `safetensors`. */
  readonly format: string;
  /** Element types that the tensors are stored as. */
  readonly elementTypes: readonly string[];
  readonly tensors: TensorStore;
  readonly tokenizer: TokenizerFiles;
  /** What says how texts become tokens, where the folder has it. Throws `INVALID_MODEL_FOLDER`. */
  readTokenizerConfig?(): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** How conversations become prompts, where the folder says it. Throws `INVALID_MODEL_FOLDER`. */
  readChat(): Promise<ChatFiles | undefined>;
  /** A floating-point tensor of exactly this shape. Throws `INVALID_MODEL_FOLDER`. */
  tensor(name: string, shape: readonly number[]): StoredTensor;
  /** Values of a one-dimensional I32 or I64 tensor. Throws `INVALID_MODEL_FOLDER`. */
  integers(name: string, pace: Yielder): Promise<number[]>;
}

/**
 * Reads config.json and the tokenizer of a weights folder and opens its weights: model.safetensors, the files that
 * model.safetensors.index.json names, or the one .npz archive; other files are not touched.
 *
 * `tokenizerOf` says of a config which file is to say how texts become tokens, where that is no tokenizer.json.
 * Symbolic links are followed, since download caches consist of them; only regular files are opened. Throws
 * `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` (pickled weights), `INVALID_ARGUMENT`.
 */
export async function openWeightsFolder(
  path: string,
  signal?: AbortSignal,
  tokenizerOf?: TokenizerOf,
): Promise<WeightsFolder> {
  const folder = await resolveFolder(path, 'weights', 'download one');
  const sharded = !(await fileExists(folder, WEIGHTS)) && (await fileExists(folder, INDEX));
  const npz = sharded ? undefined : await onlyNpz(folder);
  const file = npz ?? (sharded ? INDEX : WEIGHTS);
  const reader = folderReader(folder);
  if (await reader.has(CONFIG)) await refuseCtc(folder, await readObject(reader, CONFIG));
  if (!sharded && npz === undefined && !(await fileExists(folder, WEIGHTS))) await refusePickles(folder);
  const config = await readObject(reader, CONFIG);
  const generationConfig = await readGenerationConfig(reader);
  const tokenizer = await readTokenizerFiles(reader, tokenizerOf?.(config));
  signal?.throwIfAborted();
  const open = npz !== undefined ? openNpz : sharded ? openShards : openSafetensors;
  const tensors = await open({ folder, file }, signal);
  signal?.throwIfAborted();
  const find = (name: string, dtypes: readonly string[], shape: readonly (number | null)[]): StoredTensor => {
    const tensor = tensors.get(name);
    const required = `${dtypes.join(' or ')} [${shape.map((size) => size ?? 'any').join(', ')}]`;
    const fits =
      tensor !== undefined &&
      dtypes.includes(tensor.dtype) &&
      tensor.shape.length === shape.length &&
      shape.every((size, index) => size === null || size === tensor.shape[index]);
    if (fits) return tensor;
    const received = tensor === undefined ? 'missing' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    const place = tensor?.file ?? file;
    const { quantization_config: quantised } = config;
    if (isObject(quantised)) {
      throw unsupportedModel(
        `${place} in ${folder}: tensor ${quote(name)} is ${received}, but ${required} is required. ${CONFIG} says that these weights are quantised (${quote(quantised.quant_method)}), which is not read. Take the weights that they were made of, or a GGUF file.`,
        { folder, file: place, field: name, received: quantised.quant_method, required },
      );
    }
    throw invalidFolder(
      `${place} in ${folder}: tensor ${quote(name)} is ${received}, but it must be ${required}. Check that ${CONFIG} belongs to these weights.`,
      { folder, file: place, field: name, received, required },
    );
  };
  return {
    path: folder,
    config,
    generationConfig,
    format: npz === undefined ? 'safetensors' : 'npz',
    elementTypes: [...new Set([...tensors.values()].map(({ dtype }) => dtype))],
    tensors,
    tokenizer,
    readTokenizerConfig: () => readTokenizerConfig(reader),
    readChat: () => readChat(reader),
    tensor: (name, shape) => find(name, ['F32', 'F16', 'BF16'], shape),
    integers: async (name, pace) => {
      const { dtype, read } = find(name, ['I32', 'I64'], [null]);
      const data = await read(pace);
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const size = dtype === 'I32' ? 4 : 8;
      const values: number[] = [];
      for (let at = 0; at < data.length; at += size) {
        values.push(dtype === 'I32' ? view.getInt32(at, true) : Number(view.getBigInt64(at, true)));
        if (values.length % INTEGERS === 0 && pace.due()) await pace.yield();
      }
      return values;
    },
  };
}

/** The one archive of numpy in a folder without other weights. Throws `UNSUPPORTED_MODEL` where there are several. */
async function onlyNpz(folder: string): Promise<string | undefined> {
  if (await fileExists(folder, WEIGHTS)) return undefined;
  const files = (await readdir(folder).catch((error) => unreadableFolder(folder, error)))
    .filter((name) => name.endsWith('.npz'))
    .sort();
  if (files.length < 2) return files[0];
  throw unsupportedModel(`${folder} holds ${files.length} .npz files, but one is required. Leave one there.`, {
    folder,
    received: files.slice(0, 20),
    required: 'one .npz file',
  });
}

function unreadableFolder(folder: string, cause: unknown): never {
  throw invalidFolder(
    `The weights folder ${folder} cannot be listed (${errorCode(cause) ?? reason(cause)}). Check its permissions.`,
    { folder, received: errorCode(cause), required: 'a folder that can be read' },
    cause,
  );
}
