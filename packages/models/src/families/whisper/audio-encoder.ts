import { ForetokenError, type SourceEncoder, type SourceEncoding } from '@foretoken/core';
import { wrongValue, Yielder } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import type { AudioSource } from '../../audio/speech-input.js';
import { assertFinite, partsOf } from '../../drivers/float-source.js';
import { ownEncoding } from '../../drivers/own-encoding.js';
import { RowsEncoding } from '../../drivers/rows-encoding.js';

/** What a step reads of one source, by layer: keys at even and values at odd places. */
export type CrossParts = readonly Float32Array[];

/** Encoded windows of sound, each by itself. */
export type AudioEncoding = RowsEncoding<CrossParts>;

export interface AudioEncoderOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly mels: number;
  readonly frames: number;
  readonly layers: number;
}

/** The encoder of a Whisper model. All windows are of one length, so there is no padding to hide; each is a forward of its own. */
export class AudioEncoder implements SourceEncoder<AudioSource> {
  readonly #options: AudioEncoderOptions;

  constructor(options: AudioEncoderOptions) {
    this.#options = options;
  }

  async encode(sources: readonly AudioSource[], signal?: AbortSignal): Promise<AudioEncoding> {
    signal?.throwIfAborted();
    this.check(sources);
    const yielder = new Yielder(signal);
    for (const [row, source] of sources.entries()) await yielder.run(assertFinite(source, row));
    const { runtime, session, mels, frames, layers } = this.#options;
    const graph = await session();
    const encoded: CrossParts[] = [];
    for (const { values } of sources) {
      signal?.throwIfAborted();
      const outputs = await graph.run({ features: new runtime.Tensor('float32', values, [1, mels, frames]) });
      encoded.push(Array.from({ length: 2 * layers }, (_, part) => outputs[`cross_${part}`].data as Float32Array));
    }
    return new RowsEncoding(this, encoded);
  }

  /** Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` where there are none. */
  check(sources: readonly AudioSource[]): void {
    const { mels, frames } = this.#options;
    if (!Array.isArray(sources)) throw wrongValue('sources', sources, 'an array of sources');
    if (sources.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no sources; pass at least one.');
    for (const [row, source] of sources.entries()) {
      const { values, dims = [] } = partsOf(source) ?? {};
      const fits = dims.length === 2 && dims[0] === mels && dims[1] === frames;
      if (fits && values?.length === mels * frames) continue;
      throw wrongValue(`sources[${row}]`, source, `{ values, dims } with the dimensions [${mels}, ${frames}]`);
    }
  }

  /** The given encoding if it is this encoder's for as many sources, or else a new one. */
  async reuseOrEncode(
    sources: readonly AudioSource[],
    encoding: SourceEncoding | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AudioEncoding> {
    if (encoding === undefined) return this.encode(sources, signal);
    return ownEncoding(RowsEncoding<CrossParts>, this, encoding, sources.length);
  }
}
