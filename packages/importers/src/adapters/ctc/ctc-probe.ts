import { ForetokenError } from '@foretoken/core';
import { argmax, Yielder } from '@foretoken/core/kit';
import { GraphSession, type OnnxRuntime, RuntimeTimings, type Tensor } from '@foretoken/core/runtime';
import { type CtcManifest, numberTensor, unsupportedModel } from '@foretoken/models/internal';
import { quietNoise } from '../noise.js';
import type { ExportedGraph } from '../read-export.js';
import { assertFound, bestClasses, findScoreValues, TOLERANCE } from '../score-values.js';
import type { CtcImportOptions } from './ctc-options.js';
import type { CtcSignature } from './ctc-signature.js';
import type { ClassEvidence } from './fit-labels.js';

/** What running a graph shows of it. */
export interface CtcProbe extends ClassEvidence {
  readonly layout: CtcManifest['frames']['layout'];
  readonly values: CtcManifest['frames']['values'];
  readonly batches: CtcManifest['frames']['batches'];
  readonly stride: number;
}

/** Lengths to try, the larger of each pair first: of samples, and of images or features. */
const SAMPLE_LENGTHS = [
  [16_000, 8000],
  [48_000, 24_000],
];
const FRAME_LENGTHS = [
  [320, 160],
  [1024, 512],
  [64, 32],
];
/** Most numbers of a source that is tried. */
const MAX_VALUES = 2 ** 24;

/**
 * Runs a CTC graph on silence and noise, and tells what its scores are. Throws `UNSUPPORTED_MODEL` where it runs on none of the lengths
 * tried or gives no scores of frames, `INVALID_ARGUMENT` where what was told is not so, `RUNTIME_FAILURE`.
 */
export async function probeCtc(
  graph: ExportedGraph,
  signature: CtcSignature,
  told: CtcImportOptions,
  runtime: OnnxRuntime,
): Promise<CtcProbe> {
  const content = { path: graph.file, graph: graph.bytes, externalData: graph.externalData };
  const session = await GraphSession.create(runtime, content, { threads: 1 }, new RuntimeTimings());
  try {
    return await new Probe(graph, signature, told, runtime, session).run();
  } finally {
    await session.dispose();
  }
}

/** A batch of sources, each as long as told. */
interface Batch {
  readonly values: readonly Float32Array[];
  readonly lengths: readonly number[];
}

interface Scores {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  /** Frames of each source, where an output tells. */
  readonly frames: readonly number[] | undefined;
}

class Probe {
  readonly #graph: ExportedGraph;
  readonly #signature: CtcSignature;
  readonly #told: CtcImportOptions;
  readonly #runtime: OnnxRuntime;
  readonly #session: GraphSession;
  readonly #yielder: Yielder;

  constructor(
    graph: ExportedGraph,
    signature: CtcSignature,
    told: CtcImportOptions,
    runtime: OnnxRuntime,
    session: GraphSession,
  ) {
    this.#graph = graph;
    this.#signature = signature;
    this.#told = told;
    this.#runtime = runtime;
    this.#session = session;
    this.#yielder = new Yielder(told.signal);
  }

  async run(): Promise<CtcProbe> {
    const [long, short] = await this.#lengths();
    const noise = await this.#score({ values: [await this.#noise(long, 1)], lengths: [long] });
    const silence = await this.#score({ values: [new Float32Array(this.#size(long))], lengths: [long] });
    const half = await this.#score({ values: [await this.#noise(short, 2)], lengths: [short] });
    const layout = this.#layout(noise, half);
    const classes = noise.dims[2];
    const tried = [
      { data: noise.data, size: classes, of: 'noise' },
      { data: silence.data, size: classes, of: 'silence' },
    ];
    const counts = new Int32Array(classes);
    let frames = 0;
    for (const scores of tried) {
      for (const best of await this.#yielder.run(bestClasses(scores, this.#graph))) {
        counts[best]++;
        frames++;
      }
    }
    const commonest = argmax(counts);
    const time = noise.dims[layout === 'batch-time' ? 1 : 0];
    return {
      classes,
      commonest,
      share: counts[commonest] / frames,
      layout,
      values: await this.#yielder.run(findScoreValues(tried, this.#told.values, this.#graph.file)),
      batches: await this.#batches(long, short, layout),
      stride: long / time,
    };
  }

  /** The first pair of lengths that the graph runs on. */
  async #lengths(): Promise<readonly [number, number]> {
    let failure: unknown;
    for (const [long, short] of this.#signature.dims.length === 1 ? SAMPLE_LENGTHS : FRAME_LENGTHS) {
      try {
        for (const length of [short, long]) {
          const { dims } = await this.#score({ values: [await this.#noise(length, 1)], lengths: [length] });
          if (dims.length !== 3 || dims.some((size) => size < 1)) {
            throw this.#unsupported(
              `scores [batch, time, classes] are required, but they come out as [${dims.join(', ')}].`,
              dims,
            );
          }
        }
        return [long, short];
      } catch (error) {
        this.#assertFault(error);
        failure = error;
      }
    }
    if (ForetokenError.isInstance(failure) && failure.code === 'UNSUPPORTED_MODEL') throw failure;
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      `${this.#graph.file} ran on none of the lengths that were tried. Check that the dimensions of a source are [${this.#signature.dims.map((size) => size ?? 'time').join(', ')}]. ${failure instanceof Error ? failure.message : ''}`,
      { file: this.#graph.file },
      { cause: failure },
    );
  }

  /** The axis that follows the length is time. */
  #layout({ dims: long }: Scores, { dims: short }: Scores): CtcProbe['layout'] {
    const follows = [0, 1].filter((axis) => long[axis] !== short[axis]);
    const { layout: told } = this.#told;
    const found =
      follows.length !== 1 || long[2] !== short[2] ? undefined : follows[0] === 1 ? 'batch-time' : 'time-batch';
    if (found === undefined || long[found === 'batch-time' ? 0 : 1] !== 1) {
      throw this.#unsupported(
        `one of the first two dimensions of its scores must be the batch and the other follow the length of a source, but they come out as [${long.join(', ')}] and [${short.join(', ')}].`,
        long,
      );
    }
    assertFound('layout', told, found, this.#graph.file);
    return found;
  }

  /** Which sources say the same beside others as alone. */
  async #batches(long: number, short: number, layout: CtcProbe['layout']): Promise<CtcProbe['batches']> {
    const { inputs, outputs } = this.#signature;
    const order = ['alone', 'equal-lengths', 'padded'] as const;
    const found = await this.#found(long, short, layout, inputs, outputs);
    const { batches: told } = this.#told;
    if (told !== undefined && order.indexOf(told) > order.indexOf(found)) {
      assertFound('batches', told, found, this.#graph.file);
    }
    return told ?? found;
  }

  async #found(
    long: number,
    short: number,
    layout: CtcProbe['layout'],
    inputs: CtcSignature['inputs'],
    outputs: CtcSignature['outputs'],
  ): Promise<CtcProbe['batches']> {
    if (inputs.values.dims[0] !== null) return 'alone';
    const [first, second] = [await this.#noise(long, 1), await this.#noise(long, 2)];
    if (!(await this.#sameBeside([first, second], [long, long], layout))) return 'alone';
    if (outputs.lengths === undefined || (inputs.lengths === undefined && inputs.mask === undefined))
      return 'equal-lengths';
    // Much padding: what follows from a little of it may stay below what is noticed.
    const few = Math.max(1, Math.floor(short / 2));
    try {
      return (await this.#sameBeside([first, await this.#noise(few, 2)], [long, few], layout))
        ? 'padded'
        : 'equal-lengths';
    } catch (error) {
      this.#assertFault(error);
      return 'equal-lengths';
    }
  }

  async #sameBeside(
    values: readonly Float32Array[],
    lengths: readonly number[],
    layout: CtcProbe['layout'],
  ): Promise<boolean> {
    let together: Scores;
    try {
      together = await this.#score({ values, lengths });
    } catch (error) {
      this.#assertFault(error);
      return false;
    }
    const [rows, time] = layout === 'batch-time' ? together.dims : [together.dims[1], together.dims[0]];
    const classes = together.dims[2];
    if (rows !== values.length) return false;
    for (const [row, own] of values.entries()) {
      const alone = await this.#score({ values: [own], lengths: [lengths[row]] });
      const frames = alone.frames?.[0] ?? alone.dims[layout === 'batch-time' ? 1 : 0];
      if (frames > time || (together.frames !== undefined && together.frames[row] !== frames)) return false;
      for (let frame = 0; frame < frames; frame++) {
        const at = (layout === 'batch-time' ? row * time + frame : frame * rows + row) * classes;
        for (let id = 0; id < classes; id++) {
          const difference = together.data[at + id] - alone.data[frame * classes + id];
          if (!(Math.abs(difference) <= TOLERANCE)) return false;
        }
        if (this.#yielder.due()) await this.#yielder.yield();
      }
    }
    return true;
  }

  async #score({ values, lengths }: Batch): Promise<Scores> {
    if (this.#yielder.due()) await this.#yielder.yield();
    const { inputs, outputs, dims } = this.#signature;
    const time = lengths.reduce((longest, length) => Math.max(longest, length), 0);
    const axis = dims.indexOf(null);
    const inner = dims.slice(axis + 1).reduce<number>((product, size) => product * (size ?? 1), 1);
    const size = this.#size(time);
    const batch = new Float32Array(values.length * size);
    for (const [row, own] of values.entries()) {
      const from = lengths[row] * inner;
      for (let outer = 0; outer * from < own.length; outer++) {
        batch.set(own.subarray(outer * from, (outer + 1) * from), row * size + outer * time * inner);
      }
    }
    const { Tensor } = this.#runtime;
    const shape = [values.length, ...dims.map((one) => one ?? time)];
    const feeds: Record<string, Tensor> = { [inputs.values.name]: new Tensor('float32', batch, shape) };
    if (inputs.lengths !== undefined)
      feeds[inputs.lengths.name] = numberTensor(this.#runtime, inputs.lengths.type, lengths, [values.length]);
    if (inputs.mask !== undefined) {
      const mask = new Int32Array(values.length * time);
      for (const [row, length] of lengths.entries()) mask.fill(1, row * time, row * time + length);
      feeds[inputs.mask.name] = numberTensor(this.#runtime, inputs.mask.type, mask, [values.length, time]);
    }
    const results = await this.#session.run(feeds);
    const scores = results[outputs.scores.name];
    if (!(scores.data instanceof Float32Array)) throw this.#unsupported('its scores are not float32.', scores.type);
    const told = outputs.lengths === undefined ? undefined : results[outputs.lengths.name];
    const frames = told === undefined ? undefined : Array.from(told.data as ArrayLike<number | bigint>, Number);
    return { data: scores.data, dims: scores.dims, frames };
  }

  /** Numbers of a source. Throws `UNSUPPORTED_MODEL` where they are too many to try. */
  #size(time: number): number {
    const { dims } = this.#signature;
    const size = dims.reduce<number>((product, one) => product * (one ?? time), 1);
    if (size <= MAX_VALUES) return size;
    throw this.#unsupported(
      `a source of the dimensions [${dims.map((one) => one ?? time).join(', ')}] has ${size} numbers, but at most ${MAX_VALUES} are tried. Tell smaller dims, where the graph leaves them open.`,
      size,
    );
  }

  #noise(time: number, seed: number): Promise<Float32Array> {
    return quietNoise(this.#size(time), seed, this.#yielder);
  }

  /** Throws the signal's reason, whatever that is, and what is no error of the graph. */
  #assertFault(error: unknown): void {
    this.#yielder.throwIfAborted();
    if (!ForetokenError.isInstance(error)) throw error;
  }

  #unsupported(why: string, received: unknown): ForetokenError {
    const { folder, file } = this.#graph;
    return unsupportedModel(`${file} in ${folder} is no CTC graph that can be read: ${why}`, {
      folder,
      file,
      received,
    });
  }
}
