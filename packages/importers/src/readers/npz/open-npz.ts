import type { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { Yielder } from '@foretoken/core/kit';
import {
  allocate,
  DTYPE_BYTES,
  FILE_BYTES,
  type FilePlace,
  FOREIGN_BYTES,
  foreignContent,
  invalidFolder,
  type OpenFile,
  quote,
  reason,
  refuseWeights,
} from '@foretoken/models/internal';
import { type Entry, fromFd, type ZipFile } from 'yauzl';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';
import { HEADER_BYTES, type NpyHeader, readNpyHeader } from './npy-header.js';

const MAX_ENTRIES = 100_000;
const SUFFIX = '.npy';
/** Values that are worked on before other work may have its turn. */
const PIECE = 2 ** 18;

/**
 * Opens an `.npz` archive of numpy, compressed or not: names, types and shapes are read and checked, values when they are asked for.
 * Arrays of objects, which are pickles, are refused. Throws `INVALID_MODEL_FOLDER` naming the array and what is wrong with it, and
 * the signal's reason.
 */
export async function openNpz(place: FilePlace, signal?: AbortSignal): Promise<TensorStore> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const begin = await readAt(open, new Uint8Array(Math.min(FOREIGN_BYTES, open.bytes)), 0, place);
    const foreign = foreignContent(begin);
    if (foreign !== undefined) throw invalidFolder(`${place.file} in ${place.folder} is ${foreign}`, { ...place });
    const state = await stateOf(open);
    const tensors = new Map<string, StoredTensor>();
    const pace = new Yielder(signal);
    await inArchive(open, place, async (zip) => {
      for (const entry of await entriesOf(zip, place, pace)) {
        pace.throwIfAborted();
        if (!entry.fileName.endsWith(SUFFIX)) continue;
        const name = entry.fileName.slice(0, -SUFFIX.length);
        if (tensors.has(name)) throw refuseWeights(place, 'arrays', quote(name), 'each array once');
        const head = await readEntry(zip, entry, place, Math.min(HEADER_BYTES, entry.uncompressedSize), 0, pace);
        const header = readNpyHeader(head, name, place);
        tensors.set(name, tensorOf(entry, name, header, state, place));
      }
    });
    return tensors;
  });
}

function tensorOf(entry: Entry, name: string, header: NpyHeader, state: string, place: FilePlace): StoredTensor {
  const { dtype, shape, bigEndian, fortran, begin } = header;
  const count = shape.reduce((product, size) => product * size, 1);
  const stored = count * DTYPE_BYTES[dtype];
  if (entry.uncompressedSize !== begin + stored) {
    throw refuseWeights(
      place,
      quote(name),
      `${entry.uncompressedSize - begin} bytes`,
      `${stored} for its shape [${shape.join(', ')}]`,
    );
  }
  const read = (pace: Yielder): Promise<Uint8Array> =>
    withFile(place, async (open) => {
      if ((await stateOf(open)) !== state) throwChanged(place);
      // So placed that its elements lie where typed arrays take them.
      const padding = (8 - (begin % 8)) % 8;
      const whole = await inArchive(open, place, (zip) =>
        readEntry(zip, entry, place, entry.uncompressedSize, padding, pace),
      );
      const bytes = whole.subarray(begin);
      if (bigEndian) await swapBytes(bytes, DTYPE_BYTES[dtype], pace);
      const rows = fortran ? await rowMajor(bytes, shape, DTYPE_BYTES[dtype], place, pace) : bytes;
      return dtype === 'F64' ? float32Bytes(rows, place, pace) : rows;
    });
  const shown = dtype === 'F64' ? 'F32' : dtype;
  return { dtype: shown, shape, bytes: count * DTYPE_BYTES[shown], file: place.file, read };
}

/** Uses an open file as an archive. What is wrong with it is told as an error of the file. */
async function inArchive<Result>(
  { handle }: OpenFile,
  place: FilePlace,
  use: (zip: ZipFile) => Promise<Result>,
): Promise<Result> {
  const zip = await new Promise<ZipFile>((done, fail) => {
    fromFd(handle.fd, { lazyEntries: true, autoClose: false }, (error, opened) => {
      if (error === null && opened !== undefined) done(opened);
      else fail(damaged(place, error));
    });
  });
  return use(zip);
}

function entriesOf(zip: ZipFile, place: FilePlace, pace: Yielder): Promise<readonly Entry[]> {
  if (zip.entryCount > MAX_ENTRIES) throw refuseWeights(place, 'arrays', zip.entryCount, `at most ${MAX_ENTRIES}`);
  return new Promise((done, fail) => {
    const entries: Entry[] = [];
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      // The library reads the next at once, and a hundred thousand are many.
      if (pace.due()) pace.yield().then(() => zip.readEntry(), fail);
      else zip.readEntry();
    });
    zip.on('end', () => done(entries));
    zip.on('error', (error: unknown) => fail(damaged(place, error)));
    zip.readEntry();
  });
}

/**
 * The first bytes of an entry, in memory that begins `padding` bytes before them; all of it is checked against its checksum where
 * Node has one. Throws `INVALID_MODEL_FOLDER` and the signal's reason.
 */
async function readEntry(
  zip: ZipFile,
  entry: Entry,
  place: FilePlace,
  length: number,
  padding: number,
  pace: Yielder,
): Promise<Uint8Array> {
  const bytes = allocate(padding + length, place).subarray(padding);
  const checked = length === entry.uncompressedSize && typeof zlib.crc32 === 'function';
  try {
    const stream = await new Promise<Readable>((done, fail) => {
      zip.openReadStream(entry, (error, opened) =>
        error === null && opened !== undefined ? done(opened) : fail(error),
      );
    });
    let filled = 0;
    let sum = 0;
    // Leaving the loop ends the stream.
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      bytes.set(piece.subarray(0, length - filled), filled);
      filled += Math.min(piece.length, length - filled);
      if (checked) sum = zlib.crc32(piece, sum);
      if (filled === length && length < entry.uncompressedSize) break;
      if (pace.due()) await pace.yield();
    }
    if (filled < length) throw new Error('it ends too early');
    if (checked && sum !== entry.crc32) throw new Error('its checksum is another');
  } catch (error) {
    pace.throwIfAborted();
    throw damaged(place, error, entry.fileName);
  }
  return bytes;
}

function damaged(place: FilePlace, error: unknown, name?: string | undefined): Error {
  const what = name === undefined ? 'is no archive of numpy that can be read' : `holds a damaged array ${quote(name)}`;
  return invalidFolder(
    `${place.file} in ${place.folder} ${what}: ${reason(error)}. Fetch or save the file again.`,
    { ...place, field: name ?? 'the whole file' },
    error,
  );
}

/** Values whose first index changes fastest, in the order in which the last does. */
async function rowMajor(
  bytes: Uint8Array,
  shape: readonly number[],
  size: number,
  place: FilePlace,
  pace: Yielder,
): Promise<Uint8Array> {
  const sorted = allocate(bytes.length, place);
  // Moved as whole numbers, which keep their bits.
  const [from, to] = [wordsOf(bytes, size), wordsOf(sorted, size)];
  const count = bytes.length / size;
  const words = to.length / Math.max(1, count);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, one) => product * one, 1));
  const last = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let done = 0;
  for (let at = 0; at < count; ) {
    let source = 0;
    for (let axis = 0; axis < last; axis++) source += index[axis] * strides[axis];
    // A run along the last index, cut so that no run holds the thread.
    const end = Math.min(at + shape[last] - index[last], at + PIECE);
    source += index[last] * strides[last];
    index[last] += end - at;
    done += end - at;
    for (; at < end; at++, source += strides[last]) {
      for (let word = 0; word < words; word++) to[at * words + word] = from[source * words + word];
    }
    for (let axis = last; axis >= 0 && index[axis] === shape[axis]; axis--) {
      index[axis] = 0;
      if (axis > 0) index[axis - 1]++;
    }
    if (done < PIECE) continue;
    done = 0;
    if (pace.due()) await pace.yield();
  }
  return sorted;
}

/** Turns the bytes of each element round, in place. */
async function swapBytes(bytes: Uint8Array, size: number, pace: Yielder): Promise<void> {
  for (let at = 0; at < bytes.length; at += size * PIECE) {
    const length = Math.min(size * PIECE, bytes.length - at);
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
    if (size === 2) piece.swap16();
    if (size === 4) piece.swap32();
    if (size === 8) piece.swap64();
    if (pace.due()) await pace.yield();
  }
}

/** Elements of a size as words of at most four bytes. */
function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array {
  if (size === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  return size === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

async function float32Bytes(bytes: Uint8Array, place: FilePlace, pace: Yielder): Promise<Uint8Array> {
  const values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const rounded = allocate(4 * values.length, place);
  const floats = new Float32Array(rounded.buffer);
  for (let at = 0; at < values.length; at += PIECE) {
    floats.set(values.subarray(at, at + PIECE), at);
    if (pace.due()) await pace.yield();
  }
  return rounded;
}
