import { basename, dirname } from 'node:path';
import type { Yielder } from '@foretoken/core';
import {
  allocate,
  DTYPE_BYTES,
  FILE_BYTES,
  FOREIGN_BYTES,
  headerLength,
  LENGTH_BYTES,
  openRegularFile,
  parseHeader,
  readExactly,
  refuseWeights,
  toFloat32,
  type WeightTensor,
} from '@foretoken/models/folder';

/**
 * Reads all tensors of a safetensors file by name. The header is checked against the file's size before memory is taken.
 *
 * Throws `INVALID_MODEL_FOLDER` naming the tensor and what is wrong with it.
 */
export async function readSafetensors(path: string, signal?: AbortSignal): Promise<ReadonlyMap<string, WeightTensor>> {
  const place = { folder: dirname(path), file: basename(path) };
  // Symbolic links are how download caches lay out a weights folder.
  const open = await openRegularFile(place, { links: true });
  const readAt = async (length: number, position: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await open.handle.read(bytes, done, length - done, position + done);
      if (bytesRead === 0)
        throw refuseWeights(place, 'file size', position + done, `${open.bytes}, as when it was opened`);
      done += bytesRead;
    }
    return bytes;
  };
  try {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const begin = await readAt(Math.min(FOREIGN_BYTES, open.bytes), 0);
    const header = await readAt(headerLength(begin, open.bytes, place), LENGTH_BYTES);
    const dataBytes = open.bytes - LENGTH_BYTES - header.length;
    const entries = parseHeader(header, dataBytes, place);
    const data = allocate(dataBytes, place);
    let offset = -(LENGTH_BYTES + header.length);
    for await (const chunk of readExactly(open, place)) {
      if (offset + chunk.length > 0) data.set(chunk.subarray(Math.max(0, -offset)), Math.max(0, offset));
      signal?.throwIfAborted();
      offset += chunk.length;
    }
    return new Map(
      entries.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, data: data.subarray(begin, end) }]),
    );
  } finally {
    await open.handle.close();
  }
}

const PIECE = 2 ** 20;

/** As `toFloat32`, with turns for other work in between; the values may be a view of the tensor's bytes. */
export async function toFloat32InPieces(tensor: WeightTensor, pace: Yielder): Promise<Float32Array> {
  const { dtype, data } = tensor;
  if (dtype === 'F32' && data.byteOffset % 4 === 0) {
    return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const size = DTYPE_BYTES[dtype];
  const values = new Float32Array(data.byteLength / size);
  for (let at = 0; at < values.length; at += PIECE) {
    const piece = { ...tensor, data: data.subarray(at * size, (at + PIECE) * size) };
    values.set(toFloat32(piece), at);
    if (pace.due()) await pace.yield();
  }
  return values;
}
