import { foreignContent } from '../../folder/foreign-content.js';
import type { FileRecord } from '../../folder/manifest.js';
import type { OpenFolderOptions } from '../../folder/model-folder.js';
import { invalidFolder } from '../../folder/refusal.js';
import type { FileReader } from '../../hugging-face/config-files.js';
import { collectPieces } from '../../io/collect-pieces.js';
import type { ModelIo } from '../../io/model-io.js';
import { sha256 } from '../../io/sha256.js';
import { hasFile } from './has-file.js';

/** Reads files of a folder that nothing lists, and keeps what was read: that is what will be used. */
export class ExportReader implements FileReader {
  readonly path: string;
  readonly contents: Map<string, Uint8Array> = new Map();
  readonly #records = new Map<string, FileRecord>();
  readonly #io: ModelIo;
  readonly #options: OpenFolderOptions;
  #bytes = 0;
  #totalBytes = 0;

  constructor(io: ModelIo, options: OpenFolderOptions) {
    this.path = io.folder;
    this.#io = io;
    this.#options = options;
  }

  /** Size and digest of every file that is in `contents`. */
  get records(): Record<string, FileRecord> {
    return Object.fromEntries([...this.#records].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  has(file: string): Promise<boolean> {
    return hasFile(this.#io, file, this.#options.signal);
  }

  async read(file: string, maxBytes: number): Promise<Uint8Array> {
    const known = this.contents.get(file);
    if (known !== undefined) return known;
    const { signal, onProgress } = this.#options;
    const place = { folder: this.path, file };
    const opened = await this.#io.open(file, { signal });
    const hasher = this.#io.hasher?.();
    const sized = opened.bytes ?? 0;
    this.#totalBytes += sized;
    try {
      const content = await collectPieces(opened, place, maxBytes, (piece) => {
        signal?.throwIfAborted();
        hasher?.update(piece);
        this.#bytes += piece.length;
        // Of a server it is known when it has come.
        this.#totalBytes = Math.max(this.#totalBytes, this.#bytes);
        onProgress?.({ file, cached: false, bytes: this.#bytes, totalBytes: this.#totalBytes });
      });
      const foreign = foreignContent(content);
      if (foreign !== undefined) {
        throw invalidFolder(`${file} in ${this.path} is ${foreign}`, { ...place, required: 'the file itself' });
      }
      this.contents.set(file, content);
      this.#records.set(file, { bytes: content.length, sha256: hasher?.digest() ?? (await sha256(content)) });
      return content;
    } finally {
      await opened.close();
    }
  }

  /** Keeps content that was made of other files, unless a file of that name was read. */
  async keep(file: string, content: Uint8Array): Promise<void> {
    if (this.contents.has(file)) return;
    this.contents.set(file, content);
    this.#records.set(file, { bytes: content.length, sha256: await sha256(content) });
  }

  /** Lets go of a file that the model does not use. */
  forget(file: string): void {
    this.contents.delete(file);
    this.#records.delete(file);
  }
}
