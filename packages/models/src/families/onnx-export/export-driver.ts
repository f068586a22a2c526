import { ForetokenError, type OutputRequest } from '@foretoken/core';
import {
  cacheTensor,
  cacheZeros,
  type GraphSession,
  type OnnxRuntime,
  type PathBlock,
  type PathDriver,
  type PathInputs,
  type PathOutputs,
  scoredLogitsInTurns,
  type Tensor,
} from '@foretoken/core/runtime';
import { numberTensor } from '../../drivers/number-tensor.js';
import { float16BitsToFloat32 } from '../../weights/float16.js';
import type { CacheRole, DecoderRoles } from './export-roles.js';
import type { ExportSources, MaskPlaces } from './export-sources.js';
import { pathBlockOf } from './path-block-of.js';

/** What is used of an open graph. */
export type ExportSession = Pick<GraphSession, 'inputType' | 'run'>;

/** The graphs of an exported decoder, and what is known of them. */
export interface ExportSteps {
  readonly runtime: OnnxRuntime;
  /** Gives a graph, opening it on first use. */
  readonly session: (file: string) => Promise<ExportSession>;
  /** What reads outputs from their beginning, and what goes on with a cache; one graph may do both. */
  readonly begin: DecoderRoles;
  readonly goOn: DecoderRoles;
  readonly vocabularySize: number;
  readonly suppressed: readonly number[];
  /** Tokens that no output begins with. */
  readonly suppressedFirst?: readonly number[] | undefined;
  /** Heads and numbers of each, where the graphs do not say. */
  readonly cache?: { readonly heads: number; readonly size: number } | undefined;
  /** Whether the graph that goes on takes several new tokens of a path; found by trying. */
  readonly chains: boolean;
  /** A token that changes what a run gives for those behind it, which it does not for later runs; found by trying. */
  readonly chainEnd?: number | undefined;
  /** Most paths of one run; found by trying. */
  readonly maxLanes: number;
  /** What the mask of the sources is over; found by trying. */
  readonly maskPlaces: MaskPlaces;
}

/** Drives exported decoders: feeds each input by what it is, whatever the graph has. */
export class ExportDriver implements PathDriver {
  readonly chains: boolean;
  readonly chainEnd: number | undefined;
  readonly maxLanes: number;
  readonly #steps: ExportSteps;
  readonly #sources: ExportSources | undefined;

  /** Without sources for decoders that read none. */
  constructor(steps: ExportSteps, sources: ExportSources | undefined) {
    this.#steps = steps;
    this.#sources = sources;
    this.chains = steps.chains;
    this.chainEnd = steps.chainEnd;
    this.maxLanes = steps.maxLanes;
  }

  async run(inputs: PathInputs, output: OutputRequest): Promise<PathOutputs> {
    const { begin, goOn } = this.#steps;
    const roles = inputs.past === undefined ? begin : goOn;
    const session = await this.#steps.session(roles.file);
    const feeds: Record<string, Tensor> = {};
    this.#feedTokens(session, roles, inputs, feeds);
    this.#feedSources(session, roles, inputs, feeds);
    this.#feedPast(session, roles, inputs, feeds);
    const self = goOn.caches.filter(({ cross }) => !cross);
    const begun = goOn.caches.filter((role) => role.cross && role.encoded === undefined);
    const cross = inputs.past === undefined ? begun : [];
    const names = [...self, ...cross].map(givenAs);
    if (inputs.scored.length > 0) names.push(roles.logits);
    const outputs = await session.run(feeds, names);
    if (cross.length > 0) {
      this.#sources?.keepCross(inputs.row, pathBlockOf(cross.map(givenAs), outputs, inputs.row.length));
    }
    const logits = inputs.scored.length > 0 ? this.#scoredRows(outputs[roles.logits], inputs) : new Float32Array();
    return {
      present: pathBlockOf(self.map(givenAs), outputs, inputs.row.length),
      extension: await scoredLogitsInTurns(logits, this.#steps.vocabularySize, output),
    };
  }

  kindOf(row: number): number {
    return this.#sources?.kindOf(row) ?? 0;
  }

  releaseRow(row: number): void {
    this.#sources?.release(row);
  }

  dispose(): void {
    this.#sources?.dispose();
  }

  #feedTokens(session: ExportSession, roles: DecoderRoles, inputs: PathInputs, feeds: Record<string, Tensor>): void {
    const { row, pastLength, length, tokenIds } = inputs;
    const lanes = row.length;
    const feed = (name: string | undefined, values: () => Int32Array, dims: readonly number[]): void => {
      if (name === undefined) return;
      feeds[name] = numberTensor(this.#steps.runtime, session.inputType(name), values(), dims);
    };
    const total = pastLength + length;
    feed(roles.tokenIds, () => tokenIds, [lanes, length]);
    feed(roles.mask, () => new Int32Array(lanes * total).fill(1), [lanes, total]);
    feed(roles.positions, () => tokenIds.map((_, cell) => pastLength + (cell % length)), [lanes, length]);
    feed(roles.cachePositions, () => Int32Array.from({ length }, (_, column) => pastLength + column), [length]);
    feed(roles.keptLogits, () => Int32Array.of(keptColumns(inputs)), []);
    if (roles.goesOn === undefined) return;
    feeds[roles.goesOn] = new this.#steps.runtime.Tensor('bool', Uint8Array.of(inputs.past === undefined ? 0 : 1), [1]);
  }

  #feedSources(session: ExportSession, roles: DecoderRoles, { row }: PathInputs, feeds: Record<string, Tensor>): void {
    if (this.#sources === undefined) return;
    const { states, mask } = this.#sources.feeds(row);
    if (roles.states !== undefined) feeds[roles.states] = states;
    if (roles.sourceMask === undefined) return;
    feeds[roles.sourceMask] = mask(session.inputType(roles.sourceMask));
  }

  #feedPast(
    session: ExportSession,
    roles: DecoderRoles,
    { row, past }: PathInputs,
    feeds: Record<string, Tensor>,
  ): void {
    const { runtime, cache } = this.#steps;
    const give = (which: readonly CacheRole[], { lanes, length, parts }: PathBlock): void => {
      for (const [index, { input }] of which.entries()) {
        const { values, heads, size } = parts[index];
        feeds[input] = cacheTensor(runtime, values, [lanes, heads, length, size]);
      }
    };
    const self = roles.caches.filter((role) => !role.cross);
    // What an encoder gives is there from the beginning.
    const cross = roles.caches.filter((role) => role.cross && (past !== undefined || role.encoded !== undefined));
    if (past !== undefined) give(self, past);
    if (cross.length > 0 && this.#sources !== undefined) give(cross, this.#sources.cross(row));
    for (const { input, heads = cache?.heads ?? 1, size = cache?.size ?? 1 } of roles.caches) {
      if (Object.hasOwn(feeds, input)) continue;
      const type = session.inputType(input) === 'float16' ? 'float16' : 'float32';
      feeds[input] = cacheTensor(runtime, cacheZeros(type, 0), [row.length, heads, 0, size]);
    }
  }

  /** Logits of the scored cells as floats of their own, without those of tokens that are never output. */
  #scoredRows({ data, dims, type }: Tensor, inputs: PathInputs): Float32Array {
    const { row, scored, length, pastLength } = inputs;
    const { vocabularySize: size, suppressed, suppressedFirst = [], goOn } = this.#steps;
    if (dims.at(-1) !== size) {
      throw new ForetokenError(
        'INVALID_MODEL_FOLDER',
        `${goOn.file} scores ${dims.at(-1)} tokens, but the vocabulary has ${size}. Fetch config and graphs of one model.`,
        { file: goOn.file, field: 'output logits', received: dims.at(-1), required: size },
      );
    }
    const columns = dims[1];
    if (columns < keptColumns(inputs)) {
      // As where a table of positions has no row for a token, and what is added to none is none.
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `${goOn.file} gave scores after ${columns} of ${length} tokens, behind ${pastLength}. It may have no position for the others: fetch config and graphs of one model.`,
        { file: goOn.file, field: 'output logits', received: columns, required: keptColumns(inputs) },
      );
    }
    // A graph may give the last columns only.
    const first = length - columns;
    const all = type === 'float16' ? halves(data) : (data as Float32Array);
    const rows = new Float32Array(scored.length * size);
    for (const [index, cell] of scored.entries()) {
      const [lane, column] = [Math.floor(cell / length), cell % length];
      const begin = (lane * columns + column - first) * size;
      rows.set(all.subarray(begin, begin + size), index * size);
      for (const id of suppressed) rows[index * size + id] = Number.NEGATIVE_INFINITY;
      if (pastLength + column + 1 !== this.#sources?.prefixLength(row[lane])) continue;
      for (const id of suppressedFirst) rows[index * size + id] = Number.NEGATIVE_INFINITY;
    }
    return rows;
  }
}

/** How many of the last columns are needed: those from the first scored one on. */
function keptColumns({ scored, length }: PathInputs): number {
  return scored.reduce((max, cell) => Math.max(max, length - (cell % length)), 1);
}

/** The output that a cache comes from, also in the graph that begins, whose outputs have the usual names. */
function givenAs({ output, present }: CacheRole): string {
  return output ?? present;
}

function halves(data: Tensor['data']): Float32Array {
  const { buffer, byteOffset, length } = data as Uint16Array;
  return float16BitsToFloat32(new Uint16Array(buffer, byteOffset, length));
}
