import { invalidFolder, reason } from '../folder/refusal.js';
import type { OpenedFile } from './model-io.js';

/** Where a file lies, for reading and for messages. */
export interface FilePlace {
  /** The folder, for messages. */
  readonly folder: string;
  /** The file's name in it. */
  readonly file: string;
}

/** Memory that is taken at first where nobody knows how large a file is. */
const FIRST_BYTES = 64 * 1024;

/**
 * All of an opened file of at most `maxBytes` bytes. Where its size is known, it is checked before memory is taken; otherwise memory
 * grows with what comes. `watch` is given each piece. Throws `INVALID_MODEL_FOLDER`.
 */
export async function collectPieces(
  { bytes, pieces }: Pick<OpenedFile, 'bytes' | 'pieces'>,
  place: FilePlace,
  maxBytes: number,
  watch?: (piece: Uint8Array) => void,
): Promise<Uint8Array> {
  if (bytes !== undefined) checkMax(bytes, place, maxBytes);
  let content = allocate(bytes ?? Math.min(maxBytes, FIRST_BYTES), place);
  let length = 0;
  for await (const piece of pieces) {
    const end = length + piece.length;
    watch?.(piece);
    checkMax(end, place, maxBytes);
    if (end > content.length) {
      const grown = allocate(Math.min(maxBytes, Math.max(end, 2 * content.length)), place);
      grown.set(content.subarray(0, length));
      content = grown;
    }
    content.set(piece, length);
    length = end;
  }
  return length === content.length ? content : content.slice(0, length);
}

function checkMax(bytes: number, place: FilePlace, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw invalidFolder(
    `${place.file} in ${place.folder} has ${bytes} bytes; at most ${maxBytes} are read. Is it the right file?`,
    { ...place, received: bytes, required: maxBytes },
  );
}

/** Memory for so many bytes of a file. Throws `INVALID_MODEL_FOLDER` where there is not so much. */
export function allocate(bytes: number, place: FilePlace): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw invalidFolder(
      `${place.file} in ${place.folder} has ${bytes} bytes, more than fit in memory: ${reason(cause)}. Use a smaller model.`,
      { ...place, received: bytes },
      cause,
    );
  }
}
