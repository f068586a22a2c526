import type { ForwardCosts } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { MAX_EXCESS } from './probe.js';

/** What was measured of a forward with several rows, milliseconds. */
export interface BatchMeasurement {
  /** Two at least. */
  readonly rows: number;
  readonly nodes: number;
  readonly milliseconds: number;
}

/**
 * Cost of a forward by rows and new nodes, from the measured curve of one row and what rows beside it add: each a part of its own
 * (its attention, its tensors) and a part for each of its nodes (matrix products).
 */
export class MeasuredCosts implements ForwardCosts {
  readonly #curve: readonly number[];
  readonly #perRow: number;
  readonly #perNode: number;

  /**
   * `curve[i]` are the milliseconds of one row with `i + 1` nodes, positive and never falling; `narrow` and `wide` two forwards
   * of the same number of rows, where they were measured. Times that cannot be true count as none: of a batch that takes longer
   * than its rows one after the other, or less than one with fewer nodes.
   */
  constructor(curve: readonly number[], narrow?: BatchMeasurement, wide?: BatchMeasurement) {
    this.#curve = curve;
    // Without a measurement a node costs the same in any row.
    this.#perNode = slopeOf(curve);
    this.#perRow = 0;
    if (narrow === undefined || wide === undefined) return;
    const isTrue = ({ rows, nodes, milliseconds }: BatchMeasurement): boolean =>
      milliseconds > 0 && milliseconds <= MAX_EXCESS * rows * this.#alone(nodes);
    if (!(isTrue(narrow) && isTrue(wide) && narrow.milliseconds <= wide.milliseconds)) return;
    const added = ({ rows, nodes, milliseconds }: BatchMeasurement): number =>
      Math.max(0, milliseconds - this.#alone(nodes)) / (rows - 1);
    const perNode = Math.max(0, (added(wide) - added(narrow)) / (wide.nodes - narrow.nodes));
    this.#perNode = perNode;
    this.#perRow = Math.max(0, added(narrow) - narrow.nodes * perNode);
  }

  milliseconds(rows: number, nodes: number): number {
    return this.#alone(nodes) + (rows - 1) * (this.#perRow + this.#perNode * nodes);
  }

  /** One row alone; beyond what was measured along the line through the curve's ends. */
  #alone(nodes: number): number {
    const curve = this.#curve;
    const last = curve.length - 1;
    const known = curve[Math.min(nodes - 1, last)];
    return known + Math.max(0, nodes - 1 - last) * slopeOf(curve);
  }
}

/** Longest that a part of a forward should take, in milliseconds: other work of the thread waits as long. */
const MAX_PART_MS = 40;
/** Fewer cells would cost more forwards than they save. */
const MIN_PART_CELLS = 32;

/** Most cells that a forward may be cut into, so that one does not hold the thread for long; `undefined` where costs are not known. */
export function maxPartCells(costs: ForwardCosts | undefined): number | undefined {
  if (costs === undefined) return undefined;
  let cells = MAX_FORWARD_CELLS;
  while (cells > MIN_PART_CELLS && !(costs.milliseconds(1, cells) <= MAX_PART_MS)) cells /= 2;
  return cells;
}

function slopeOf(curve: readonly number[]): number {
  const [first = 0] = curve;
  const last = curve.at(-1) ?? first;
  return curve.length < 2 ? first : (last - first) / (curve.length - 1);
}
