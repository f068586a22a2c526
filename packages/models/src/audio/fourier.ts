/**
 * Discrete Fourier transforms of one length, whatever its prime factors are (Cooley and Tukey, 1965), in float64. Both arrays are
 * complex, `[2 * length]`, real and imaginary parts in turn.
 */
export class FourierTransform {
  readonly length: number;
  /** The length's prime factors, the smallest first. */
  readonly #factors: readonly number[];
  /** `exp(-2 pi i k / length)`. */
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #scratch: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.#factors = primeFactors(length);
    const angle = (index: number): number => (-2 * Math.PI * index) / length;
    this.#cosines = Float64Array.from({ length }, (_, index) => Math.cos(angle(index)));
    this.#sines = Float64Array.from({ length }, (_, index) => Math.sin(angle(index)));
    this.#scratch = new Float64Array(2 * Math.max(1, this.#factors.at(-1) ?? 1));
  }

  transform(input: Float64Array, output: Float64Array): void {
    this.#part(input, 0, 1, output, 0, this.length, 0);
  }

  /** Transforms `length` values of the input, `stride` apart, to a run of the output. */
  #part(
    input: Float64Array,
    from: number,
    stride: number,
    output: Float64Array,
    to: number,
    length: number,
    level: number,
  ): void {
    if (length === 1) {
      output[2 * to] = input[2 * from];
      output[2 * to + 1] = input[2 * from + 1];
      return;
    }
    const factor = this.#factors[level];
    const inner = length / factor;
    for (let part = 0; part < factor; part++) {
      this.#part(input, from + part * stride, stride * factor, output, to + part * inner, inner, level + 1);
    }
    const turn = this.length / length;
    for (let index = 0; index < inner; index++) this.#combine(output, to + index, inner, factor, index, turn);
  }

  /** One butterfly: the transforms of `factor` interleaved parts, at one index, become those of the whole. */
  #combine(output: Float64Array, at: number, inner: number, factor: number, index: number, turn: number): void {
    const scratch = this.#scratch;
    const { length } = this;
    for (let part = 0; part < factor; part++) {
      const place = 2 * (at + part * inner);
      const twiddle = part * index * turn;
      const [real, imaginary] = [output[place], output[place + 1]];
      scratch[2 * part] = real * this.#cosines[twiddle] - imaginary * this.#sines[twiddle];
      scratch[2 * part + 1] = real * this.#sines[twiddle] + imaginary * this.#cosines[twiddle];
    }
    for (let result = 0; result < factor; result++) {
      let real = scratch[0];
      let imaginary = scratch[1];
      for (let part = 1; part < factor; part++) {
        const root = (part * result * (length / factor)) % length;
        real += scratch[2 * part] * this.#cosines[root] - scratch[2 * part + 1] * this.#sines[root];
        imaginary += scratch[2 * part] * this.#sines[root] + scratch[2 * part + 1] * this.#cosines[root];
      }
      output[2 * (at + result * inner)] = real;
      output[2 * (at + result * inner) + 1] = imaginary;
    }
  }
}

function primeFactors(length: number): number[] {
  const factors: number[] = [];
  let rest = length;
  for (let factor = 2; rest > 1; factor++) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor);
  }
  return factors;
}
