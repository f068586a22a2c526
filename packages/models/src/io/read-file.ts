import { ForetokenError } from '@foretoken/core';
import { hasMethods, wrongValue } from '@foretoken/core/kit';
import { FOREIGN_BYTES, foreignContent } from '../folder/foreign-content.js';
import { type FileRecord, MANIFEST_FILE } from '../folder/manifest.js';
import { invalidFolder } from '../folder/refusal.js';
import { collectPieces, type FilePlace } from './collect-pieces.js';
import type { ModelIo, OpenedFile, OpenOptions } from './model-io.js';
import { sha256 } from './sha256.js';

/** What is told while a file is read: how many bytes have come since the last time, and whether an earlier load kept them. */
export type OnBytes = (bytes: number, kept: boolean) => void;

/** Reads a whole file of at most `maxBytes` bytes. Throws `INVALID_MODEL_FOLDER`, `NETWORK_FAILURE`, or the signal's reason. */
export async function readFile(io: ModelIo, file: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  const opened = await openFile(io, file, { signal });
  try {
    return await collectPieces(opened, { folder: io.folder, file }, maxBytes);
  } finally {
    await opened.close();
  }
}

/** Throws what opening throws, and `INVALID_ARGUMENT` for what is no opened file: an `io` may be anybody's. */
async function openFile(io: ModelIo, file: string, options: OpenOptions): Promise<OpenedFile> {
  const opened: OpenedFile = await io.open(file, options);
  if (hasMethods(opened, 'close') && typeof Object(opened.pieces)[Symbol.asyncIterator] === 'function') return opened;
  throw wrongValue(`What open of the io gives for ${file}`, opened, 'an opened file with pieces and close');
}

/** Reads a file that is as its record says. Throws `INVALID_MODEL_FOLDER`, `NETWORK_FAILURE`, or the signal's reason. */
export async function readVerifiedFile(
  io: ModelIo,
  file: string,
  record: FileRecord,
  signal?: AbortSignal,
  onBytes?: OnBytes,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const opened = await openFile(io, file, { record, signal });
    try {
      const content = await readOpened(io, opened, file, record, signal, onBytes);
      await opened.keep?.(content);
      return content;
    } catch (error) {
      signal?.throwIfAborted();
      if (opened.forget === undefined || attempt > 1 || !ForetokenError.isInstance(error)) throw error;
      // A kept copy was damaged since; the next attempt reads the file itself.
      await opened.forget();
    } finally {
      await opened.close();
    }
  }
}

async function readOpened(
  io: ModelIo,
  opened: OpenedFile,
  file: string,
  record: FileRecord,
  signal: AbortSignal | undefined,
  onBytes: OnBytes | undefined,
): Promise<Uint8Array> {
  const place = { folder: io.folder, file };
  const hasher = io.hasher?.();
  const pieces = checkedPieces(opened, place, record, signal, onBytes);
  const content = await collectPieces({ bytes: opened.bytes, pieces }, place, record.bytes, (piece) => {
    hasher?.update(piece);
  });
  checkDigest(place, hasher?.digest() ?? (await sha256(content)), record.sha256);
  return content;
}

/**
 * Throws `INVALID_MODEL_FOLDER` unless a file has the size and digest of its record, `NETWORK_FAILURE`, or the signal's reason.
 * Nothing is kept where digests are made piece by piece.
 */
export async function verifyFile(
  io: ModelIo,
  file: string,
  record: FileRecord,
  signal?: AbortSignal,
  onBytes?: OnBytes,
): Promise<void> {
  signal?.throwIfAborted();
  const hasher = io.hasher?.();
  if (hasher === undefined) {
    await readVerifiedFile(io, file, record, signal, onBytes);
    return;
  }
  const place = { folder: io.folder, file };
  const opened = await openFile(io, file, { record, signal });
  try {
    for await (const piece of checkedPieces(opened, place, record, signal, onBytes)) hasher.update(piece);
    checkDigest(place, hasher.digest(), record.sha256);
  } finally {
    await opened.close();
  }
}

/**
 * The pieces of a file that has the size of its record; no more than that is read. Throws `INVALID_MODEL_FOLDER`, and says so where
 * a download left something else in the file's place.
 */
async function* checkedPieces(
  opened: OpenedFile,
  place: FilePlace,
  { bytes }: FileRecord,
  signal: AbortSignal | undefined,
  onBytes: OnBytes | undefined,
): AsyncGenerator<Uint8Array> {
  let foreign: string | undefined;
  let total = 0;
  const known = opened.bytes;
  for await (const piece of opened.pieces) {
    signal?.throwIfAborted();
    if (total === 0) foreign = foreignContent(piece.subarray(0, FOREIGN_BYTES));
    total += piece.length;
    const received = known ?? total;
    if (received > bytes || known !== undefined) checkSize(place, received, bytes, foreign);
    yield piece;
    onBytes?.(piece.length, opened.forget !== undefined);
  }
  checkSize(place, known ?? total, bytes, foreign);
}

function checkSize(place: FilePlace, received: number, required: number, foreign?: string): void {
  if (received === required) return;
  const { folder, file } = place;
  if (foreign !== undefined) {
    throw invalidFolder(`${file} in ${folder} is ${foreign}`, { ...place, required: 'the file itself' });
  }
  throw invalidFolder(
    `${file} in ${folder} is ${received < required ? 'truncated' : 'oversized'}: it has ${received} bytes, but ${MANIFEST_FILE} says ${required}. Fetch or create the model again.`,
    { folder, file, field: `files.${file}.bytes`, received, required },
  );
}

function checkDigest({ folder, file }: FilePlace, received: string, required: string): void {
  if (received === required) return;
  throw invalidFolder(
    `${file} in ${folder} is not the file that ${MANIFEST_FILE} describes: its SHA-256 digest differs. Fetch or create the model again.`,
    { folder, file, field: `files.${file}.sha256`, received, required },
  );
}
