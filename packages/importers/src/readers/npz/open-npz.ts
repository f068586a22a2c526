import type { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Yielder } from '@foretoken/core/kit';
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
} from '@foretoken/models/folder';
import { type Entry, fromFd, type ZipFile } from 'yauzl';
import type { StoredTensor, TensorStore } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';
import { HEADER_BYTES, type NpyHeader, readNpyHeader } from './npy-header.js';

const MAX_ENTRIES = 100_000;
const SUFFIX = '.npy';

/**
 * Opens an `.npz` archive of numpy, compressed or not: names, types and shapes are read and checked, values when they are asked for.
 * Arrays of objects, which are pickles, are refused. Throws `INVALID_MODEL_FOLDER` naming the array and what is wrong with it.
 */
export async function openNpz(place: FilePlace): Promise<TensorStore> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const begin = await readAt(open, new Uint8Array(Math.min(FOREIGN_BYTES, open.bytes)), 0, place);
    const foreign = foreignContent(begin);
    if (foreign !== undefined) throw invalidFolder(`${place.file} in ${place.folder} is ${foreign}`, { ...place });
    const state = await stateOf(open);
    const tensors = new Map<string, StoredTensor>();
    await inArchive(open, place, async (zip) => {
      for (const entry of await entriesOf(zip, place)) {
        if (!entry.fileName.endsWith(SUFFIX)) continue;
        const name = entry.fileName.slice(0, -SUFFIX.length);
        if (tensors.has(name)) throw refuseWeights(place, 'arrays', quote(name), 'each array once');
        const head = await readEntry(zip, entry, place, Math.min(HEADER_BYTES, entry.uncompressedSize));
        const header = readNpyHeader(head, name, place);
        tensors.set(name, tensorOf(entry, name, header, state, place));
      }
    });
    return tensors;
  });
}

function tensorOf(entry: Entry, name: string, header: NpyHeader, state: string, place: FilePlace): StoredTensor {
  const { dtype, shape, fortran, begin } = header;
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
      const whole = await inArchive(open, place, (zip) => readEntry(zip, entry, place, entry.uncompressedSize, pace));
      // In memory of its own, so that its elements lie where typed arrays take them.
      const bytes = Uint8Array.from(whole.subarray(begin));
      const rows = fortran ? rowMajor(bytes, shape, DTYPE_BYTES[dtype]) : bytes;
      return dtype === 'F64' ? float32Bytes(rows) : rows;
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

function entriesOf(zip: ZipFile, place: FilePlace): Promise<readonly Entry[]> {
  if (zip.entryCount > MAX_ENTRIES) throw refuseWeights(place, 'arrays', zip.entryCount, `at most ${MAX_ENTRIES}`);
  return new Promise((done, fail) => {
    const entries: Entry[] = [];
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('end', () => done(entries));
    zip.on('error', (error: unknown) => fail(damaged(place, error)));
    zip.readEntry();
  });
}

/** The first bytes of an entry; all of it is checked against its checksum where Node has one. */
async function readEntry(
  zip: ZipFile,
  entry: Entry,
  place: FilePlace,
  length: number,
  pace?: Yielder,
): Promise<Uint8Array> {
  const bytes = allocate(length, place);
  try {
    const stream = await new Promise<Readable>((done, fail) => {
      zip.openReadStream(entry, (error, opened) =>
        error === null && opened !== undefined ? done(opened) : fail(error),
      );
    });
    let filled = 0;
    // Leaving the loop ends the stream.
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      bytes.set(piece.subarray(0, length - filled), filled);
      filled += Math.min(piece.length, length - filled);
      if (filled === length && length < entry.uncompressedSize) break;
      if (pace?.due()) await pace.yield();
    }
    if (filled < length) throw new Error('it ends too early');
  } catch (error) {
    throw damaged(place, error, entry.fileName);
  }
  if (length < entry.uncompressedSize || typeof zlib.crc32 !== 'function') return bytes;
  if (zlib.crc32(bytes) !== entry.crc32) throw damaged(place, new Error('its checksum is another'), entry.fileName);
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
function rowMajor(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const sorted = new Uint8Array(bytes.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, one) => product * one, 1));
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0; at < bytes.length; at += size) {
    const from = size * index.reduce((sum, one, axis) => sum + one * strides[axis], 0);
    sorted.set(bytes.subarray(from, from + size), at);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return sorted;
}

function float32Bytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)).buffer);
}
