import { FOREIGN_BYTES, foreignContent } from '../folder/foreign-content.js';
import { type FileRecord, MANIFEST_FILE } from '../folder/manifest.js';
import { invalidFolder } from '../folder/refusal.js';
import { collectPieces, type FilePlace } from './collect-pieces.js';
import type { ModelIo, OpenedFile } from './model-io.js';
import { sha256 } from './sha256.js';

/** Reads a whole file of at most `maxBytes` bytes. Throws `INVALID_MODEL_FOLDER`, or the signal's reason. */
export async function readFile(io: ModelIo, file: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  const opened = await io.open(file, signal);
  try {
    return await collectPieces(opened, { folder: io.folder, file }, maxBytes);
  } finally {
    await opened.close();
  }
}

/** Reads a file that is as its record says. Throws `INVALID_MODEL_FOLDER`, or the signal's reason. */
export async function readVerifiedFile(
  io: ModelIo,
  file: string,
  record: FileRecord,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const place = { folder: io.folder, file };
  const opened = await io.open(file, signal);
  try {
    const hasher = io.hasher?.();
    const content = await collectPieces(opened, place, record.bytes, (piece) => hasher?.update(piece));
    checkSize(place, content.length, record.bytes);
    checkDigest(place, hasher?.digest() ?? (await sha256(content)), record.sha256);
    return content;
  } finally {
    await opened.close();
  }
}

/**
 * Throws `INVALID_MODEL_FOLDER` unless a file has the size and digest of its record, or the signal's reason. Nothing is kept where
 * digests are made piece by piece.
 */
export async function verifyFile(io: ModelIo, file: string, record: FileRecord, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const hasher = io.hasher?.();
  if (hasher === undefined) {
    await readVerifiedFile(io, file, record, signal);
    return;
  }
  const place = { folder: io.folder, file };
  const opened = await io.open(file, signal);
  try {
    await checkKnownSize(opened, place, record);
    let bytes = 0;
    for await (const piece of opened.pieces) {
      signal?.throwIfAborted();
      bytes += piece.length;
      hasher.update(piece);
      // An endless file is not read to its end.
      if (bytes > record.bytes) break;
    }
    checkSize(place, bytes, record.bytes);
    checkDigest(place, hasher.digest(), record.sha256);
  } finally {
    await opened.close();
  }
}

/** Refuses a file by what is said of its size, and says where a download left something else in its place. */
async function checkKnownSize(opened: OpenedFile, place: FilePlace, record: FileRecord): Promise<void> {
  if (opened.bytes === undefined || opened.bytes === record.bytes) return;
  for await (const piece of opened.pieces) {
    const foreign = foreignContent(piece.subarray(0, FOREIGN_BYTES));
    if (foreign === undefined) break;
    throw invalidFolder(`${place.file} in ${place.folder} is ${foreign}`, { ...place, required: 'the file itself' });
  }
  checkSize(place, opened.bytes, record.bytes);
}

function checkSize({ folder, file }: FilePlace, received: number, required: number): void {
  if (received === required) return;
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
