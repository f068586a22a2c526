import { ForetokenError, type SourceEncoder, type SourceEncoding } from '@foretoken/core';
import { wrongValue, Yielder } from '@foretoken/core/kit';
import type { AudioSource } from '../audio/speech-input.js';
import type { ManifestSpectrum } from '../folder/speech-schema.js';
import { assertFinite, partsOf } from './float-source.js';
import { ownEncoding } from './own-encoding.js';
import { RowsEncoding } from './rows-encoding.js';

/** Encodes the spectrum of one window, `[mels, frames]`. */
export type EncodeSpectrum<Encoded> = (values: Float32Array) => Promise<Encoded>;

/** An encoder of log-mel spectra. All windows are of one length, so there is no padding to hide; each is a forward of its own. */
export class SpectrumEncoder<Encoded> implements SourceEncoder<AudioSource> {
  readonly #audio: ManifestSpectrum;
  readonly #encodeOne: EncodeSpectrum<Encoded>;

  constructor(audio: ManifestSpectrum, encodeOne: EncodeSpectrum<Encoded>) {
    this.#audio = audio;
    this.#encodeOne = encodeOne;
  }

  async encode(sources: readonly AudioSource[], signal?: AbortSignal): Promise<RowsEncoding<Encoded>> {
    signal?.throwIfAborted();
    this.check(sources);
    const yielder = new Yielder(signal);
    for (const [row, source] of sources.entries()) await yielder.run(assertFinite(source, row));
    const encoded: Encoded[] = [];
    for (const { values } of sources) {
      signal?.throwIfAborted();
      encoded.push(await this.#encodeOne(values));
    }
    return new RowsEncoding(this, encoded);
  }

  /** Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` where there are none. */
  check(sources: readonly AudioSource[]): void {
    const { mels, frames } = this.#audio;
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
  ): Promise<RowsEncoding<Encoded>> {
    if (encoding === undefined) return this.encode(sources, signal);
    return ownEncoding(RowsEncoding<Encoded>, this, encoding, sources.length);
  }
}
