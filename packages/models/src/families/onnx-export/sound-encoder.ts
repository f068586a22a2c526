import { ForetokenError, type SourceEncoder, type SourceEncoding } from '@foretoken/core';
import { throwIfAborted, wrongValue, Yielder } from '@foretoken/core/kit';
import type { Tensor } from '@foretoken/core/runtime';
import type { AudioSource } from '../../audio/speech-input.js';
import { assertFinite, readFloatSource } from '../../drivers/float-source.js';
import { numberTensor } from '../../drivers/number-tensor.js';
import { ownEncoding } from '../../drivers/own-encoding.js';
import { RowsEncoding } from '../../drivers/rows-encoding.js';
import { givenStates, usedOutputs } from './encoder-states.js';
import type { ExportEncoding, GraphEncoderOptions, SourceStates } from './export-encoder.js';

export interface SoundEncoderOptions extends GraphEncoderOptions {
  /** Shorter sound is followed by silence, so that the graph has something to give. */
  readonly minSamples: number;
  readonly maxSamples: number;
}

/**
 * An exported encoder of samples of sound. Each source is a forward of its own: graphs of sound are normalised over its whole length, so
 * padding would change what they give.
 */
export class SoundEncoder implements SourceEncoder<AudioSource> {
  readonly #options: SoundEncoderOptions;

  constructor(options: SoundEncoderOptions) {
    this.#options = options;
  }

  async encode(sources: readonly AudioSource[], signal?: AbortSignal): Promise<ExportEncoding> {
    throwIfAborted(signal);
    if (!Array.isArray(sources)) throw wrongValue('sources', sources, 'an array of sources');
    if (sources.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no sources; pass at least one.');
    const { maxSamples } = this.#options;
    const read = sources.map((source, row) => readFloatSource(source, [null], maxSamples, row));
    const yielder = new Yielder(signal);
    for (const source of read) await yielder.run(assertFinite(source, source.row));
    const states: SourceStates[] = [];
    for (const { values } of read) {
      signal?.throwIfAborted();
      states.push(await this.#forward(values));
    }
    return new RowsEncoding(this, states);
  }

  /** The given encoding if it is this encoder's for as many sources, or else a new one. */
  async reuseOrEncode(
    sources: readonly AudioSource[],
    encoding: SourceEncoding | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ExportEncoding> {
    if (encoding === undefined) return this.encode(sources, signal);
    return ownEncoding(RowsEncoding<SourceStates>, this, encoding, sources.length);
  }

  async #forward(values: Float32Array): Promise<SourceStates> {
    const { runtime, roles, minSamples, taken } = this.#options;
    const session = await this.#options.session();
    const samples = Math.max(values.length, minSamples);
    const sound = new Float32Array(samples);
    sound.set(values);
    const feeds: Record<string, Tensor> = { [roles.input]: new runtime.Tensor('float32', sound, [1, samples]) };
    if (roles.mask !== undefined) {
      const mask = new Int32Array(samples).fill(1);
      feeds[roles.mask] = numberTensor(runtime, session.inputType(roles.mask), mask, [1, samples]);
    }
    const outputs = await session.run(feeds, usedOutputs(roles, taken));
    const { length, values: states, caches } = givenStates(outputs, roles, taken, 1);
    return { length, samples, values: states, caches: caches && { block: caches, lane: 0 } };
  }
}
