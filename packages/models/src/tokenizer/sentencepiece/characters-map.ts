import { invalidFolder } from '../../folder/refusal.js';

/** Longest text that one rule may write; published rules write at most 33 bytes. */
const MAX_REPLACEMENT = 256;

/**
 * The compiled rewriting rules of a SentencePiece model: a double-array trie of UTF-8 texts (Darts-clone), then the texts
 * that take their place, each closed by a zero.
 */
export class CharactersMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #file: string;

  /** Throws `INVALID_MODEL_FOLDER`. */
  constructor(bytes: Uint8Array, file: string) {
    this.#file = file;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = bytes.length < 4 ? -1 : view.getUint32(0, true);
    if (length < 4 || length % 4 !== 0 || length > bytes.length - 4) this.#refuse('its trie has no valid length');
    this.#units = Uint32Array.from({ length: length / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
    this.#replacements = bytes.subarray(4 + length);
  }

  /**
   * The longest rule that fits at `start`: how many bytes it reads, and the bytes that take their place (a view). Undefined
   * where no rule fits. Throws `INVALID_MODEL_FOLDER` where the rules point outside themselves.
   */
  longest(text: Uint8Array, start: number): { readonly length: number; readonly replacement: Uint8Array } | undefined {
    // Darts-clone: a unit holds its label in the low byte, its offset above, and a flag where a text may end.
    let position = offsetOf(this.#unit(0));
    let length = 0;
    let value = -1;
    for (let at = start; at < text.length; at++) {
      const byte = text[at];
      position ^= byte;
      const unit = this.#units[position];
      if (unit === undefined || (unit & 0x8000_00ff) >>> 0 !== byte) break;
      position ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        value = this.#unit(position) & 0x7fff_ffff;
        length = at + 1 - start;
      }
    }
    return value < 0 ? undefined : { length, replacement: this.#replacement(value) };
  }

  #unit(position: number): number {
    return this.#units[position] ?? this.#refuse('its trie points outside itself');
  }

  #replacement(start: number): Uint8Array {
    const end = this.#replacements.indexOf(0, start);
    if (start > this.#replacements.length || end < 0) this.#refuse('a rule points outside its texts');
    if (end - start > MAX_REPLACEMENT) this.#refuse(`a rule writes more than ${MAX_REPLACEMENT} bytes`);
    return this.#replacements.subarray(start, end);
  }

  #refuse(what: string): never {
    throw invalidFolder(`${this.#file}: the rules that rewrite characters are broken: ${what}. Fetch the file again.`, {
      file: this.#file,
      field: 'normalizer_spec.precompiled_charsmap',
    });
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
