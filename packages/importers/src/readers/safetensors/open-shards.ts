import {
  decodeUtf8,
  type FilePlace,
  invalidFolder,
  isObject,
  parseJson,
  quote,
  readRegularFile,
} from '@foretoken/models/internal';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { openSafetensors } from './open-safetensors.js';

/** Far above the index of any model: some 100 bytes for each tensor. */
const INDEX_BYTES = 16 * 1024 ** 2;
/** A name that stays in the index's own folder. */
const SHARD = /^[\p{L}\p{N}_][\p{L}\p{N} ._+-]*\.safetensors$/u;

/**
 * Opens the files that an index (`*.safetensors.index.json`) splits a checkpoint into. Index and files must agree: each tensor lies
 * in the file that the index names, in no other, and no file holds a tensor that the index does not know. Throws
 * `INVALID_MODEL_FOLDER` naming the file and the tensor, and the signal's reason.
 */
export async function openShards(index: FilePlace, signal?: AbortSignal): Promise<TensorStore> {
  const { shardOf, totalBytes } = await readIndex(index);
  const shards = new Map<string, TensorStore>();
  for (const file of [...new Set(shardOf.values())].sort()) {
    signal?.throwIfAborted();
    shards.set(file, await openSafetensors({ folder: index.folder, file }));
  }
  const tensors = new Map<string, StoredTensor>();
  let bytes = 0;
  for (const [file, shard] of shards) {
    for (const [name, tensor] of shard) {
      const expected = shardOf.get(name);
      if (expected !== file) {
        const known = expected === undefined ? 'does not list it' : `says that it lies in ${quote(expected)}`;
        throw refuse(index, name, `${quote(file)} holds tensor ${quote(name)}, but the index ${known}`, file, expected);
      }
      tensors.set(name, tensor);
      bytes += tensor.bytes;
    }
  }
  for (const [name, file] of shardOf) {
    if (!tensors.has(name)) {
      throw refuse(
        index,
        name,
        `tensor ${quote(name)} is not in ${quote(file)}, where the index says it is`,
        'missing',
        file,
      );
    }
  }
  if (totalBytes !== undefined && totalBytes !== bytes) {
    const field = 'metadata.total_size';
    throw refuse(index, field, `${field} is ${totalBytes}, but the tensors have ${bytes} bytes`, totalBytes, bytes);
  }
  return tensors;
}

interface ShardIndex {
  /** File of each tensor. */
  readonly shardOf: ReadonlyMap<string, string>;
  /** Bytes of all tensors, where the index states them. */
  readonly totalBytes?: number | undefined;
}

async function readIndex(index: FilePlace): Promise<ShardIndex> {
  const { folder, file } = index;
  const bytes = await readRegularFile(index, { links: true, max: INDEX_BYTES });
  const content = parseJson(decodeUtf8(bytes, file, { folder }), file, { folder });
  const { weight_map: weightMap, metadata } = isObject(content) ? content : {};
  if (!isObject(weightMap) || Object.keys(weightMap).length === 0) {
    const required = 'an object that names a file for each tensor';
    throw refuse(
      index,
      'weight_map',
      `weight_map is ${quote(weightMap)}, but it must be ${required}`,
      weightMap,
      required,
    );
  }
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    // Among what this turns away: another folder, a link out of this one, and the index itself.
    if (typeof shard !== 'string' || !SHARD.test(shard)) {
      const required = 'the name of a .safetensors file in the same folder';
      throw refuse(
        index,
        name,
        `tensor ${quote(name)} lies in ${quote(shard)}, but that must be ${required}`,
        shard,
        required,
      );
    }
    shardOf.set(name, shard);
  }
  const total = isObject(metadata) ? metadata.total_size : undefined;
  if (total === undefined || total === null) return { shardOf };
  if (typeof total !== 'number' || !Number.isSafeInteger(total) || total < 0) {
    const field = 'metadata.total_size';
    throw refuse(
      index,
      field,
      `${field} is ${quote(total)}, but it must be a number of bytes`,
      total,
      'an integer from 0',
    );
  }
  return { shardOf, totalBytes: total };
}

function refuse({ folder, file }: FilePlace, field: string, what: string, received: unknown, required: unknown): Error {
  return invalidFolder(`${file} in ${folder}: ${what}. Fetch all files of the model again.`, {
    folder,
    file,
    field,
    received,
    required,
  });
}
