import { allocate, type FilePlace, foreignContent, invalidFolder, quote } from '@foretoken/models/internal';

/** Bytes of the file from `begin` on, `length` of them; they lie inside the file. */
export type ReadBytes = (begin: number, length: number) => Promise<Uint8Array>;

// Far above those of any model.
const MAX_NAME_BYTES = 1024;
const MAX_DIMENSIONS = 8;
/** Bytes that are read at once; most fields are far shorter. */
const PIECE_BYTES = 4096;

/**
 * Reads fields of a file of `fileBytes` bytes one after the other; each is held against the file's size before memory is taken. Its
 * methods throw `INVALID_MODEL_FOLDER`, and what `read` throws.
 */
export class FileFields {
  readonly #read: ReadBytes;
  readonly #fileBytes: number;
  readonly #place: FilePlace;
  #at = 0;
  /** What was read last, and where it begins. */
  #piece = new Uint8Array();
  #pieceBegin = 0;

  constructor(read: ReadBytes, fileBytes: number, place: FilePlace) {
    this.#read = read;
    this.#fileBytes = fileBytes;
    this.#place = place;
  }

  refuse(field: string, received: unknown, required: string): never {
    const { folder, file } = this.#place;
    throw invalidFolder(
      `${file} in ${folder}: ${field} is ${typeof received === 'string' ? received : quote(received)}, but it must be ${required}. Fetch or convert the model again.`,
      { folder, file, field, received, required },
    );
  }

  /** Refuses a file that begins as something else than weights does, such as a web page. */
  async refuseForeign(required: string): Promise<void> {
    const { folder, file } = this.#place;
    const foreign = foreignContent(await this.#read(0, Math.min(this.#fileBytes, 64)));
    if (foreign === undefined) return;
    throw invalidFolder(`${file} in ${folder} holds no weights: it is ${foreign}`, {
      folder,
      file,
      field: 'the whole file',
      required,
    });
  }

  /** Goes on behind so many bytes; returns where they began. */
  take(field: string, bytes: number): number {
    const from = this.#at;
    if (from + bytes > this.#fileBytes) {
      this.refuse(field, `the bytes ${from} to ${from + bytes}`, `within the file, which has ${this.#fileBytes} bytes`);
    }
    this.#at = from + bytes;
    return from;
  }

  /** The next bytes; they are not to be kept. */
  async bytes(field: string, bytes: number): Promise<DataView> {
    const from = this.take(field, bytes);
    if (from < this.#pieceBegin || from + bytes > this.#pieceBegin + this.#piece.length) {
      const length = Math.min(Math.max(PIECE_BYTES, bytes), this.#fileBytes - from);
      this.#piece = new Uint8Array(length === 0 ? allocate(0, this.#place) : await this.#read(from, length));
      this.#pieceBegin = from;
    }
    return new DataView(this.#piece.buffer, this.#piece.byteOffset + from - this.#pieceBegin, bytes);
  }

  /** Holds a count of things, of which each takes so many bytes at least, against what is left of the file. */
  count(field: string, count: number, bytesEach: number, max: number): number {
    const possible = Math.min(max, Math.floor((this.#fileBytes - this.#at) / bytesEach));
    return count <= possible
      ? count
      : this.refuse(field, count, `at most ${possible}, in a file of ${this.#fileBytes} bytes`);
  }

  nameLength(field: string, length: number): number {
    return length >= 2 && length <= MAX_NAME_BYTES ? length : this.refuse(field, length, `from 2 to ${MAX_NAME_BYTES}`);
  }

  rank(field: string, rank: number): number {
    return rank <= MAX_DIMENSIONS ? rank : this.refuse(field, rank, `at most ${MAX_DIMENSIONS}`);
  }

  /** A name, which ends in a zero byte. */
  name(field: string, { buffer, byteOffset, byteLength }: DataView): string {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    // Names are ASCII.
    if (bytes.at(-1) !== 0 || bytes.subarray(0, -1).some((byte) => byte < 32 || byte > 126)) {
      this.refuse(field, 'no text', 'printable characters and a zero byte');
    }
    return new TextDecoder().decode(bytes.subarray(0, -1));
  }

  /** Refuses what lies behind the last field. */
  end(last: string): void {
    if (this.#at === this.#fileBytes) return;
    this.refuse('file size', `${this.#fileBytes} bytes`, `${this.#at}, where the last ${last} ends`);
  }
}
