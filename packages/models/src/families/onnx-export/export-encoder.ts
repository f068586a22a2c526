import type { SourceEncoder, SourceEncoding, TokenSource } from '@foretoken/core';
import { assertTokenSources, throwIfAborted } from '@foretoken/core/kit';
import {
  type CacheValues,
  cacheZeros,
  type GraphSession,
  type OnnxRuntime,
  type PathPlace,
} from '@foretoken/core/runtime';
import type { AudioSource } from '../../audio/speech-input.js';
import { groupsByLength, longestOf } from '../../drivers/length-groups.js';
import { numberTensor } from '../../drivers/number-tensor.js';
import { ownEncoding } from '../../drivers/own-encoding.js';
import { RowsEncoding } from '../../drivers/rows-encoding.js';
import { givenStates, type TakenStates, usedOutputs } from './encoder-states.js';
import type { EncoderRoles } from './export-roles.js';

/** States of a source, `[time, width]`. */
export interface SourceStates {
  readonly length: number;
  /** Samples that they were made of, where the source is sound. */
  readonly samples?: number | undefined;
  /** Nothing where the decoder takes none. */
  readonly values: CacheValues;
  /** Its keys and values in the decoder's layers, where the encoder gives these. */
  readonly caches?: PathPlace | undefined;
}

/** What an exported encoder made of a batch of sources, each without its padding. */
export type ExportEncoding = RowsEncoding<SourceStates>;

/** What an exported model reads. */
export type ExportSource = TokenSource | AudioSource;

/** An exported encoder, of tokens, samples of sound or spectra. */
export interface StatesEncoder extends SourceEncoder<ExportSource> {
  /** Throws for sources that it cannot read, before anything that comes with them is looked at. */
  check?(sources: readonly ExportSource[]): void;
  encode(sources: readonly ExportSource[], signal?: AbortSignal): Promise<ExportEncoding>;
  /** The given encoding if it is this encoder's for as many sources, or else a new one. */
  reuseOrEncode(
    sources: readonly ExportSource[],
    encoding: SourceEncoding | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ExportEncoding>;
}

/** The graph of an encoder. */
export interface GraphEncoderOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly roles: EncoderRoles;
  readonly taken: TakenStates;
}

export interface ExportEncoderOptions extends GraphEncoderOptions {
  readonly sourceLength: number;
  readonly vocabularySize: number;
  readonly padTokenId: number;
}

/** An exported encoder of token sources. */
export class ExportEncoder implements SourceEncoder<TokenSource> {
  readonly #options: ExportEncoderOptions;

  constructor(options: ExportEncoderOptions) {
    this.#options = options;
  }

  /** Encodes sources of similar length together; of equal length, where the graph takes no mask. */
  async encode(sources: readonly TokenSource[], signal?: AbortSignal): Promise<ExportEncoding> {
    throwIfAborted(signal);
    const { sourceLength, vocabularySize, roles } = this.#options;
    assertTokenSources(sources, { vocabularySize, max: sourceLength });
    const lengths = Int32Array.from(sources, ({ length }) => length);
    const states: SourceStates[] = [];
    for (const group of groupsByLength(lengths).flatMap((rows) =>
      roles.mask === undefined ? equal(rows, lengths) : [rows],
    )) {
      signal?.throwIfAborted();
      const encoded = await this.#forward(group.map((row) => sources[row]));
      for (const [index, row] of group.entries()) states[row] = encoded[index];
    }
    return new RowsEncoding(this, states);
  }

  /** The given encoding if it is this encoder's for as many sources, or else a new one. */
  async reuseOrEncode(
    sources: readonly TokenSource[],
    encoding: SourceEncoding | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ExportEncoding> {
    if (encoding === undefined) return this.encode(sources, signal);
    return ownEncoding(RowsEncoding<SourceStates>, this, encoding, sources.length);
  }

  async #forward(rows: readonly TokenSource[]): Promise<SourceStates[]> {
    const { runtime, roles, padTokenId, taken } = this.#options;
    const session = await this.#options.session();
    const time = longestOf(Int32Array.from(rows, ({ length }) => length));
    const dims = [rows.length, time];
    const tokenIds = new Int32Array(rows.length * time).fill(padTokenId);
    const mask = new Int32Array(tokenIds.length);
    for (const [index, row] of rows.entries()) {
      tokenIds.set(row, index * time);
      mask.fill(1, index * time, index * time + row.length);
    }
    const feeds = { [roles.input]: numberTensor(runtime, session.inputType(roles.input), tokenIds, dims) };
    if (roles.mask !== undefined) feeds[roles.mask] = numberTensor(runtime, session.inputType(roles.mask), mask, dims);
    const outputs = await session.run(feeds, usedOutputs(roles, taken));
    const { values, caches } = givenStates(outputs, roles, taken, rows.length);
    const width = values.length / (rows.length * time);
    return rows.map(({ length }, lane) => {
      const begin = lane * time * width;
      return {
        length,
        values: values.subarray(begin, begin + length * width),
        caches: caches && { block: caches, lane },
      };
    });
  }
}

/** Rows of one group, taken apart by their lengths. */
function equal(rows: readonly number[], lengths: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  for (const row of rows) groups.set(lengths[row], [...(groups.get(lengths[row]) ?? []), row]);
  return [...groups.values()];
}

/** States of these sources, padded to `time` with zeros, `[sources, time, width]`. */
export function paddedStates(sources: readonly SourceStates[], time: number): CacheValues {
  const [{ length, values }] = sources;
  const width = values.length / length;
  if (sources.length === 1 && length === time) return values;
  const padded = cacheZeros(values instanceof Uint16Array ? 'float16' : 'float32', sources.length * time * width);
  for (const [index, source] of sources.entries()) padded.set(source.values, index * time * width);
  return padded;
}
