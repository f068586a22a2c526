import {
  type CtcLattice,
  type EmitOptions,
  ForetokenError,
  type LatticeModel,
  type LatticeSupport,
  type Vocabulary,
} from '@foretoken/core';
import { emitOptions, maxScoredCells, refuseEncoding, wrongValue, Yielder } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import {
  assertFinite,
  copySource,
  type FloatSource,
  readFloatSource,
  type TimedSource,
} from '../../drivers/float-source.js';
import { floatReader, floatTensor, isFloatType } from '../../drivers/float-tensor.js';
import { groupsByLength } from '../../drivers/length-groups.js';
import { numberTensor } from '../../drivers/number-tensor.js';
import type { CtcManifest } from './ctc-manifest.js';
import { latticeOf } from './frame-scores.js';

/** Lattices of a CTC graph that others have exported; it reads numbers. */
export class CtcFramesModel implements LatticeModel<FloatSource> {
  readonly vocabulary: Vocabulary;
  readonly supports: LatticeSupport;
  readonly #manifest: CtcManifest;
  readonly #runtime: OnnxRuntime;
  readonly #session: () => Promise<GraphSession>;

  constructor(manifest: CtcManifest, runtime: OnnxRuntime, session: () => Promise<GraphSession>) {
    this.#manifest = manifest;
    this.#runtime = runtime;
    this.#session = session;
    this.vocabulary = manifest.vocabulary;
    this.supports = { kind: 'ctc', maxCandidates: manifest.ctc.maxCandidates };
  }

  async emit(sources: readonly FloatSource[], given?: EmitOptions): Promise<CtcLattice[]> {
    const options = emitOptions(given);
    const { signal } = options;
    const { frames, ctc } = this.#manifest;
    if (!Array.isArray(sources)) throw wrongValue('sources', sources, 'an array of sources');
    if (sources.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'There are no sources; pass at least one.');
    refuseEncoding(options);
    const k = Math.min(options.k ?? 1, ctc.maxCandidates);
    const yielder = new Yielder(signal);
    // Copies, since what a caller owns may change while others have their turn.
    const read = Array.from(sources, (source, row) => readFloatSource(source, frames.dims, frames.maxLength, row));
    for (const source of read) await yielder.run(assertFinite(source, source.row));
    const times = Int32Array.from(read, ({ time }) => time);
    const session = await this.#session();
    const lattices = new Array<CtcLattice>(read.length);
    for (const rows of this.#groups(times)) {
      signal?.throwIfAborted();
      const outputs = await session.run(await this.#feeds(read, rows, yielder));
      for (const [index, row] of rows.entries()) {
        lattices[row] = await yielder.run(this.#lattice(outputs, rows.length, index, row, k));
      }
    }
    return lattices;
  }

  /** Rows that are read together, those of equal length or the longest first. */
  #groups(times: Int32Array): readonly (readonly number[])[] {
    const { frames, vocabulary } = this.#manifest;
    const cells = maxScoredCells(vocabulary.size) * frames.stride;
    if (frames.batches === 'padded') return groupsByLength(times, cells);
    const groups = new Map<number, number[][]>();
    for (const [row, time] of times.entries()) {
      const max = frames.batches === 'alone' ? 1 : Math.max(1, Math.floor(cells / time));
      const found = groups.get(time) ?? [];
      const last = found.at(-1);
      if (last !== undefined && last.length < max) last.push(row);
      else found.push([row]);
      groups.set(time, found);
    }
    return [...groups.values()].flat();
  }

  async #feeds(
    sources: readonly TimedSource[],
    rows: readonly number[],
    yielder: Yielder,
  ): Promise<Record<string, Tensor>> {
    const { inputs, frames } = this.#manifest;
    const time = rows.reduce((longest, row) => Math.max(longest, sources[row].time), 0);
    const dims = [rows.length, ...frames.dims.map((size) => size ?? time)];
    const values = new Float32Array(dims.reduce((product, size) => product * size, 1));
    for (const [index, row] of rows.entries()) {
      copySource(sources[row], frames.dims, values, index, time);
      if (yielder.due()) await yielder.yield();
    }
    const { name, type } = inputs.values;
    const feeds: Record<string, Tensor> = {
      [name]: floatTensor(this.#runtime, isFloatType(type) ? type : 'float32', values, dims),
    };
    const { lengths, mask } = inputs;
    if (lengths !== undefined) {
      const own = Int32Array.from(rows, (row) => sources[row].time);
      feeds[lengths.name] = numberTensor(this.#runtime, lengths.type, own, [rows.length]);
    }
    if (mask !== undefined) {
      const ones = new Int32Array(rows.length * time);
      for (const [index, row] of rows.entries()) ones.fill(1, index * time, index * time + sources[row].time);
      feeds[mask.name] = numberTensor(this.#runtime, mask.type, ones, [rows.length, time]);
    }
    return feeds;
  }

  #lattice(
    outputs: Readonly<Record<string, Tensor>>,
    rows: number,
    index: number,
    row: number,
    k: number,
  ): Generator<undefined, CtcLattice, undefined> {
    const {
      outputs: names,
      frames: { layout, values },
      ctc,
      vocabulary,
    } = this.#manifest;
    const { dims } = outputs[names.scores.name];
    const scores = floatReader(outputs[names.scores.name]);
    const [first, second, classes] = dims;
    const [batch, time] = layout === 'batch-time' ? [first, second] : [second, first];
    if (scores === undefined || dims.length !== 3 || batch !== rows || classes !== vocabulary.size) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `${names.scores.name} came out as [${dims.join(', ')}] for ${rows} sources; ${rows} of ${vocabulary.size} classes are required. Import the model again.`,
        { received: [...dims], required: { rows, classes: vocabulary.size, layout } },
      );
    }
    const told = names.lengths === undefined ? undefined : outputs[names.lengths.name]?.data[index];
    const frames = told === undefined ? time : Math.max(0, Math.min(time, Number(told)));
    const at =
      layout === 'batch-time'
        ? (frame: number) => (index * time + frame) * classes
        : (frame: number) => (frame * rows + index) * classes;
    return latticeOf({ scores, classes, frames, at, row }, values, ctc.blankId, k);
  }
}
