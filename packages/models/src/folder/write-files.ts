import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileRecord, MANIFEST_BYTES, MANIFEST_FILE, type ModelManifest } from './manifest.js';
import { invalidFolder } from './refusal.js';

const PIECE_BYTES = 4 * 1024 ** 2;

/** A manifest as it is written. Throws `INVALID_MODEL_FOLDER` where it would be too long to be read. */
export function manifestText(manifest: ModelManifest, path: string): Uint8Array {
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  if (text.length <= MANIFEST_BYTES) return text;
  throw invalidFolder(`${MANIFEST_FILE} would have ${text.length} bytes; at most ${MANIFEST_BYTES} are allowed.`, {
    folder: path,
    file: MANIFEST_FILE,
    received: text.length,
    required: MANIFEST_BYTES,
  });
}

/** Writes a new file in pieces and returns its size and digest. */
export async function writeFlushed(
  folder: string,
  name: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<FileRecord> {
  const path = join(folder, name);
  if (name.includes('/')) await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  let bytes = 0;
  try {
    for await (const whole of pieces) {
      bytes += whole.length;
      for (let at = 0; at < whole.length; at += PIECE_BYTES) {
        const piece = whole.subarray(at, at + PIECE_BYTES);
        hash.update(piece);
        await file.writeFile(piece);
        signal?.throwIfAborted();
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (name.includes('/')) await flush(dirname(path));
  return { bytes, sha256: hash.digest('hex') };
}

/** Flushes a folder's entries, where the system can (Windows cannot open folders). */
export async function flush(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
