import type { Yielder } from '@foretoken/core/kit';
import { type FilePlace, invalidFolder, type OpenFile, openRegularFile } from '@foretoken/models/internal';

const PIECE_BYTES = 4 * 1024 ** 2;

/** Opens a file of weights for as long as it is used. */
export async function withFile<Result>(place: FilePlace, use: (open: OpenFile) => Promise<Result>): Promise<Result> {
  // Symbolic links are how download caches lay out a weights folder.
  const open = await openRegularFile(place, { links: true });
  try {
    return await use(open);
  } finally {
    await open.handle.close();
  }
}

/** What changes when a file does. */
export async function stateOf({ handle }: OpenFile): Promise<string> {
  const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, mtimeNs].join();
}

/** Throws `INVALID_MODEL_FOLDER`: what was opened is not what is there now. */
export function throwChanged(place: FilePlace): never {
  throw invalidFolder(
    `${place.file} in ${place.folder} changed while it was read. Make sure that nothing writes to the folder.`,
    { ...place, required: 'the file that was opened' },
  );
}

/** Fills `bytes` from `position` on. */
export async function readAt<Bytes extends Uint8Array>(
  { handle }: OpenFile,
  bytes: Bytes,
  position: number,
  place: FilePlace,
  pace?: Yielder,
): Promise<Bytes> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(PIECE_BYTES, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) throwChanged(place);
    done += bytesRead;
    if (pace?.due()) await pace.yield();
  }
  return bytes;
}
