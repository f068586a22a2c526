import type { Yielder } from '@foretoken/core/kit';
import {
  allocate,
  FILE_BYTES,
  type FilePlace,
  FOREIGN_BYTES,
  headerLength,
  invalidFolder,
  LENGTH_BYTES,
  type OpenFile,
  openRegularFile,
  parseHeader,
  refuseWeights,
} from '@foretoken/models/folder';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';

const PIECE_BYTES = 4 * 1024 ** 2;

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
          if ((await stateOf(again)) !== state) throw changed(place);
          return readAt(again, allocate(end - begin, place), data + begin, place, pace);
        });
      tensors.set(name, { dtype, shape, bytes: end - begin, file: place.file, read });
    }
    return tensors;
  });
}

async function withFile<Result>(place: FilePlace, use: (open: OpenFile) => Promise<Result>): Promise<Result> {
  // Symbolic links are how download caches lay out a weights folder.
  const open = await openRegularFile(place, { links: true });
  try {
    return await use(open);
  } finally {
    await open.handle.close();
  }
}

/** What changes when a file does. */
async function stateOf({ handle }: OpenFile): Promise<string> {
  const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, mtimeNs].join();
}

function changed(place: FilePlace): Error {
  return invalidFolder(
    `${place.file} in ${place.folder} changed while it was read. Make sure that nothing writes to the folder.`,
    { ...place, required: 'the file that was opened' },
  );
}

/** Fills `bytes` from `position` on. */
async function readAt<Bytes extends Uint8Array>(
  { handle }: OpenFile,
  bytes: Bytes,
  position: number,
  place: FilePlace,
  pace?: Yielder,
): Promise<Bytes> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(PIECE_BYTES, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) throw changed(place);
    done += bytesRead;
    if (pace?.due()) await pace.yield();
  }
  return bytes;
}
