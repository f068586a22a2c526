import { ForetokenError } from '@foretoken/core';
import { argmax, Yielder } from '@foretoken/core/kit';
import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import type { CtcManifest } from '@foretoken/models/internal';
import type { ExportedGraph } from '../read-export.js';
import { assertFound, bestClasses, findScoreValues, HALF_TOLERANCE, TOLERANCE } from '../score-values.js';
import type { CtcImportOptions } from './ctc-options.js';
import { CtcRuns, type Scores } from './ctc-runs.js';
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
/** A source of a fixed size has no time. */
const FIXED_LENGTHS = [[1, 1]];
const FRAME_LENGTHS = [
  [320, 160],
  [1024, 512],
  [64, 32],
];

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

class Probe {
  readonly #graph: ExportedGraph;
  readonly #signature: CtcSignature;
  readonly #told: CtcImportOptions;
  readonly #runs: CtcRuns;
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
    this.#yielder = new Yielder(told.signal);
    this.#runs = new CtcRuns(graph, signature, runtime, session, this.#yielder);
  }

  /** Whether all sources are of one size. */
  get #fixed(): boolean {
    return !this.#signature.dims.includes(null);
  }

  /** How far the sum of a frame may be from 1. */
  get #tolerance(): number {
    return this.#signature.outputs.scores.type === 'float16' ? HALF_TOLERANCE : TOLERANCE;
  }

  async run(): Promise<CtcProbe> {
    const [long, short] = await this.#lengths();
    const noise = await this.#runs.score({ values: [await this.#runs.noise(long, 1)], lengths: [long] });
    const silence = await this.#runs.score({ values: [new Float32Array(this.#runs.size(long))], lengths: [long] });
    const half = await this.#runs.score({ values: [await this.#runs.noise(short, 2)], lengths: [short] });
    const layout = this.#fixed ? await this.#fixedLayout(noise) : this.#layout(noise, half);
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
      values: await this.#yielder.run(findScoreValues(tried, this.#told.values, this.#graph.file, this.#tolerance)),
      batches: await this.#batches(long, short, layout),
      stride: long / time,
    };
  }

  /** The first pair of lengths that the graph runs on. */
  async #lengths(): Promise<readonly [number, number]> {
    let failure: unknown;
    const { dims } = this.#signature;
    const pairs = this.#fixed ? FIXED_LENGTHS : dims.length === 1 ? SAMPLE_LENGTHS : FRAME_LENGTHS;
    for (const [long, short] of pairs) {
      try {
        for (const length of [short, long]) {
          const scores = await this.#runs.score({ values: [await this.#runs.noise(length, 1)], lengths: [length] });
          if (scores.dims.length !== 3 || scores.dims.some((size) => size < 1)) {
            throw this.#runs.unsupported(
              `scores [batch, time, classes] are required, but they come out as [${scores.dims.join(', ')}].`,
              scores.dims,
            );
          }
        }
        return [long, short];
      } catch (error) {
        this.#runs.assertFault(error);
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
      throw this.#runs.unsupported(
        `one of the first two dimensions of its scores must be the batch and the other follow the length of a source, but they come out as [${long.join(', ')}] and [${short.join(', ')}].`,
        long,
      );
    }
    assertFound('layout', told, found, this.#graph.file);
    return found;
  }

  /** Of sources of a fixed size: the axis that follows how many there are is the batch. */
  async #fixedLayout({ dims: one }: Scores): Promise<CtcProbe['layout']> {
    let two = one;
    if (this.#signature.inputs.values.dims[0] === null) {
      const values = [await this.#runs.noise(1, 1), await this.#runs.noise(1, 2)];
      two = await this.#runs.score({ values, lengths: [1, 1] }).then(
        ({ dims }) => dims,
        (error: unknown) => {
          this.#runs.assertFault(error);
          return one;
        },
      );
    }
    const rows = two === one ? 1 : 2;
    const batch = [0, 1].filter((axis) => one[axis] === 1 && two[axis] === rows);
    // Where both are one there is one frame, whichever is time.
    if (batch.length === 0 || (batch.length === 2 && rows === 2)) {
      throw this.#runs.unsupported(
        `one of the first two dimensions of its scores must be the batch, but they come out as [${one.join(', ')}], and as [${two.join(', ')}] for ${rows}.`,
        two,
      );
    }
    const found = batch[0] === 0 ? 'batch-time' : 'time-batch';
    assertFound('layout', this.#told.layout, found, this.#graph.file);
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
    const [first, second] = [await this.#runs.noise(long, 1), await this.#runs.noise(long, 2)];
    if (!(await this.#sameBeside([first, second], [long, long], layout))) return 'alone';
    if (outputs.lengths === undefined || (inputs.lengths === undefined && inputs.mask === undefined))
      return 'equal-lengths';
    // Much padding: what follows from a little of it may stay below what is noticed.
    const few = Math.max(1, Math.floor(short / 2));
    try {
      return (await this.#sameBeside([first, await this.#runs.noise(few, 2)], [long, few], layout))
        ? 'padded'
        : 'equal-lengths';
    } catch (error) {
      this.#runs.assertFault(error);
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
      together = await this.#runs.score({ values, lengths });
    } catch (error) {
      this.#runs.assertFault(error);
      return false;
    }
    const [rows, time] = layout === 'batch-time' ? together.dims : [together.dims[1], together.dims[0]];
    const classes = together.dims[2];
    if (rows !== values.length) return false;
    for (const [row, own] of values.entries()) {
      const alone = await this.#runs.score({ values: [own], lengths: [lengths[row]] });
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
}
