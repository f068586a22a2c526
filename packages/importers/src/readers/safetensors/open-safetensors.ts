import type { Yielder } from '@foretoken/core/kit';
import {
  allocate,
  FILE_BYTES,
  type FilePlace,
  FOREIGN_BYTES,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  refuseWeights,
} from '@foretoken/models/internal';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';

/**
 * Opens a safetensors file: its header is read and checked against the file's size, its tensors are read when they are asked for.
 * The file is not kept open in between. Throws `INVALID_MODEL_FOLDER` naming the tensor and what is wrong with it.
 */
export async function openSafetensors(place: FilePlace): Promise<TensorStore> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const begin = await readAt(open, new Uint8Array(Math.min(FOREIGN_BYTES, open.bytes)), 0, place);
    const header = new Uint8Array(headerLength(begin, open.bytes, place));
    await readAt(open, header, LENGTH_BYTES, place);
    const data = LENGTH_BYTES + header.length;
    const state = await stateOf(open);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, begin, end } of parseHeader(header, open.bytes - data, place)) {
      const read = async (pace: Yielder): Promise<Uint8Array> =>
        withFile(place, async (again) => {
          if ((await stateOf(again)) !== state) throwChanged(place);
          return readAt(again, allocate(end - begin, place), data + begin, place, pace);
        });
      tensors.set(name, { dtype, shape, bytes: end - begin, file: place.file, read });
    }
    return tensors;
  });
}
