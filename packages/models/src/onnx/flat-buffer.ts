/** Bytes of an offset, of a length and of what a table begins with. */
const WORD = 4;
const SHORT = 2;

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * A FlatBuffers file, read without trust (the format: google.github.io/flatbuffers, Apache-2.0).
 *
 * Offsets lead forward only, so nothing is its own part. But many offsets may lead to one place, which a small file can use to
 * make endless work. No writer shares anything but texts and the layout of tables, so all that is read may together be no larger than the file.
 */
export class FlatBuffer {
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  readonly #texts = new Map<number, string>();
  #unread: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#unread = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The four letters that say of what kind the file is. */
  get identifier(): string {
    return latin1.decode(this.#bytes.subarray(WORD, 2 * WORD));
  }

  /** Throws `RangeError`. */
  root(): FlatTable {
    return new FlatTable(this, this.target(0));
  }

  /** Where the offset at a place leads to. Throws `RangeError` unless that lies behind it and in the file. */
  target(place: number): number {
    this.assertInside(place, WORD);
    const offset = this.view.getUint32(place, true);
    if (offset < WORD) throw new RangeError('an offset in it leads nowhere');
    this.assertInside(place + offset, WORD);
    return place + offset;
  }

  /** The text at a place. Throws `RangeError`. */
  text(place: number): string {
    const known = this.#texts.get(place);
    if (known !== undefined) return known;
    const { begin, count } = this.vector(place, 1);
    // A zero closes it.
    this.assertInside(begin, count + 1);
    this.spend(WORD + count);
    const text = utf8.decode(this.#bytes.subarray(begin, begin + count));
    this.#texts.set(place, text);
    return text;
  }

  /** A vector's elements, each of so many bytes. Throws `RangeError`. */
  vector(place: number, elementBytes: number): FlatVector {
    this.assertInside(place, WORD);
    const count = this.view.getUint32(place, true);
    this.assertInside(place + WORD, count * elementBytes);
    return { begin: place + WORD, count };
  }

  assertInside(place: number, bytes: number): void {
    if (place < 0 || place + bytes > this.#bytes.length)
      throw new RangeError('it ends too early, or an offset in it is wrong');
  }

  /** Counts what is read. Throws `RangeError` where it is more than the file can hold. */
  spend(bytes: number): void {
    this.#unread -= bytes;
    if (this.#unread < 0) throw new RangeError('the same parts of it are used again and again');
  }
}

/** Where elements lie, and how many. */
export interface FlatVector {
  readonly begin: number;
  readonly count: number;
}

/** A table: fields by their number in the schema, each of which may be absent. All methods throw `RangeError`. */
export class FlatTable {
  readonly #buffer: FlatBuffer;
  readonly #at: number;
  readonly #layout: number;
  readonly #fields: number;
  readonly #bytes: number;

  constructor(buffer: FlatBuffer, at: number) {
    buffer.spend(WORD);
    const { view } = buffer;
    this.#buffer = buffer;
    this.#at = at;
    this.#layout = at - view.getInt32(at, true);
    buffer.assertInside(this.#layout, 2 * SHORT);
    const layoutBytes = view.getUint16(this.#layout, true);
    buffer.assertInside(this.#layout, layoutBytes);
    this.#fields = Math.floor(layoutBytes / SHORT) - 2;
    this.#bytes = view.getUint16(this.#layout + SHORT, true);
    buffer.assertInside(at, this.#bytes);
    if (this.#fields < 0 || this.#bytes < WORD) throw new RangeError('a table in it has no valid layout');
  }

  uint8(field: number): number {
    const place = this.#place(field, 1);
    return place === undefined ? 0 : this.#buffer.view.getUint8(place);
  }

  int32(field: number): number {
    const place = this.#place(field, 4);
    return place === undefined ? 0 : this.#buffer.view.getInt32(place, true);
  }

  uint32(field: number): number {
    const place = this.#place(field, 4);
    return place === undefined ? 0 : this.#buffer.view.getUint32(place, true);
  }

  /** Rounded where it is above 2^53. */
  int64(field: number, otherwise = 0): number {
    const place = this.#place(field, 8);
    return place === undefined ? otherwise : Number(this.#buffer.view.getBigInt64(place, true));
  }

  text(field: number): string | undefined {
    const place = this.#target(field);
    return place === undefined ? undefined : this.#buffer.text(place);
  }

  table(field: number): FlatTable | undefined {
    const place = this.#target(field);
    return place === undefined ? undefined : new FlatTable(this.#buffer, place);
  }

  /** Tables of a list, in their order. */
  *tables(field: number): Generator<FlatTable> {
    for (const place of this.#targets(field)) yield new FlatTable(this.#buffer, place);
  }

  texts(field: number): string[] {
    return Array.from(this.#targets(field), (place) => this.#buffer.text(place));
  }

  /** Whole numbers of a list. */
  int64s(field: number): number[] {
    const { begin, count } = this.vector(field, 8);
    this.#buffer.spend(8 * count);
    return Array.from({ length: count }, (_, index) => Number(this.#buffer.view.getBigInt64(begin + 8 * index, true)));
  }

  /** The first number of each structure of so many bytes in a list. */
  *firstOf(field: number, structureBytes: number): Generator<number> {
    const { begin, count } = this.vector(field, structureBytes);
    this.#buffer.spend(structureBytes * count);
    for (let index = 0; index < count; index++) yield this.#buffer.view.getUint32(begin + structureBytes * index, true);
  }

  /** How many elements of so many bytes a list has; none where it is absent. */
  vector(field: number, elementBytes: number): FlatVector {
    const place = this.#target(field);
    return place === undefined ? { begin: 0, count: 0 } : this.#buffer.vector(place, elementBytes);
  }

  /** The bytes of a list, where they lie. */
  raw(field: number): DataView {
    const { begin, count } = this.vector(field, 1);
    const { buffer, byteOffset } = this.#buffer.view;
    return new DataView(buffer, byteOffset + begin, count);
  }

  *#targets(field: number): Generator<number> {
    const { begin, count } = this.vector(field, WORD);
    this.#buffer.spend(WORD * count);
    for (let index = 0; index < count; index++) yield this.#buffer.target(begin + WORD * index);
  }

  #target(field: number): number | undefined {
    const place = this.#place(field, WORD);
    return place === undefined ? undefined : this.#buffer.target(place);
  }

  /** Where a field lies; `undefined` where it is absent. */
  #place(field: number, bytes: number): number | undefined {
    if (field >= this.#fields) return undefined;
    const offset = this.#buffer.view.getUint16(this.#layout + SHORT * (2 + field), true);
    if (offset === 0) return undefined;
    if (offset < WORD || offset + bytes > this.#bytes) throw new RangeError('a field in it lies outside its table');
    return this.#at + offset;
  }
}
