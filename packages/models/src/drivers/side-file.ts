import { ForetokenError } from '@foretoken/core';
import type { FilePlace } from '../io/collect-pieces.js';
import { parseSafetensors, toFloat32, type WeightTensor } from '../weights/safetensors.js';

/** A safetensors file beside a model's graphs; all refusals name the file and the tensor. */
export class SideFile {
  readonly file: string;
  readonly #what: string;
  readonly #tensors: ReadonlyMap<string, WeightTensor>;

  /** `bytes` of a file, and `what` it holds, for refusals. Throws `INVALID_MODEL_FOLDER`. */
  constructor(bytes: Uint8Array, place: FilePlace, what: string) {
    this.file = place.file;
    this.#what = what;
    this.#tensors = parseSafetensors(bytes, place);
  }

  /** Throws `INVALID_MODEL_FOLDER` without such a tensor. */
  floats(name: string): Float32Array {
    return toFloat32(this.#tensor(name));
  }

  /** A tensor of int32, or of uint16, which takes half the room. Throws `INVALID_MODEL_FOLDER`. */
  integers(name: string): { readonly values: Int32Array; readonly shape: readonly number[] } {
    const { dtype, shape, data } = this.#tensor(name);
    if (dtype === 'I32') return { values: new Int32Array(new Uint8Array(data).buffer), shape };
    if (dtype === 'U16') return { values: new Int32Array(new Uint16Array(new Uint8Array(data).buffer)), shape };
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${this.file}: tensor ${name} is ${dtype}, but must be I32 or U16.`,
      {
        file: this.file,
        field: name,
        received: dtype,
        required: ['I32', 'U16'],
      },
    );
  }

  #tensor(name: string): WeightTensor {
    const found = this.#tensors.get(name);
    if (found !== undefined) return found;
    const { file } = this;
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${file} has no tensor ${name}. Make the ${this.#what} again.`, {
      file,
      field: name,
    });
  }
}
