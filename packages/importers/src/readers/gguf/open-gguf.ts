import type { Yielder } from '@foretoken/core/kit';
import { allocate, FILE_BYTES, type FilePlace, refuseWeights } from '@foretoken/models/internal';
import type { StoredTensor } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';
import { dequantise } from './dequantise.js';
import { type GgufHeader, MoreNeeded, parseGguf, type TensorEntry } from './gguf-header.js';

/** Bytes of a header that are read at first: a vocabulary takes some millions. */
const FIRST_BYTES = 1024 ** 2;
/** Far above any header. */
const MAX_HEADER_BYTES = 128 * 1024 ** 2;

/** An opened GGUF file: its metadata, and its tensors by their names in it, which are read when they are asked for. */
export interface GgufFile extends Pick<GgufHeader, 'metadata'> {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Names of the element types that its tensors have. */
  readonly types: readonly string[];
}

/**
 * Opens a GGUF file: its header is read and held against the file's size. Quantised tensors are given as fp32, one at a time, as they
 * are asked for. The header is read by a reader of our own, since `@huggingface/gguf` refuses with errors that name no field, does not
 * hold offsets against the file, and brings a package of all tasks of the hub.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, and the signal's reason.
 */
export async function openGguf(place: FilePlace, pace: Yielder): Promise<GgufFile> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const state = await stateOf(open);
    const { metadata, tensors } = await readHeader(open, place, pace);
    const stored = tensors.map((entry): [string, StoredTensor] => {
      const read = async (pace: Yielder): Promise<Uint8Array> =>
        withFile(place, async (again) => {
          if ((await stateOf(again)) !== state) throwChanged(place);
          const bytes = await readAt(again, allocate(entry.bytes, place), entry.begin, place, pace);
          return isQuantised(entry) ? bytesOf(await dequantise(bytes, entry.type, pace)) : bytes;
        });
      const { name, shape, bytes, type } = entry;
      const dtype = isQuantised(entry) ? 'F32' : (type.name as 'F32' | 'F16' | 'BF16');
      return [name, { dtype, shape, bytes, file: place.file, read }];
    });
    return { metadata, tensors: new Map(stored), types: [...new Set(tensors.map(({ type }) => type.name))] };
  });
}

async function readHeader(open: Parameters<typeof readAt>[0], place: FilePlace, pace: Yielder): Promise<GgufHeader> {
  for (let size = FIRST_BYTES; ; ) {
    const bytes = await readAt(open, allocate(Math.min(size, open.bytes), place), 0, place, pace);
    try {
      return await parseGguf(bytes, open.bytes, place, pace);
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
      size = Math.max(error.bytes, 2 * size);
      if (error.bytes > MAX_HEADER_BYTES) {
        throw refuseWeights(place, 'header length', error.bytes, `at most ${MAX_HEADER_BYTES} bytes`);
      }
    }
  }
}

const isQuantised = ({ type }: TensorEntry): boolean => type.elements > 1;

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
