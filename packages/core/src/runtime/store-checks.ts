import type { OutputRequest } from '../contract/token-tree.js';
import { assertInteger, wrongValue } from '../kit/checks.js';
import { isInt32Array } from '../kit/options.js';
import { isTypedArray } from '../kit/typed-arrays.js';
import type { ExtensionValues, ForwardNodes } from './node-store.js';
import { type SlotMove, TreeRow } from './tree-row.js';

/** Most rows of a store, and most parts of a cache: an odd number of them would take all memory, or a loop without end. */
export const MAX_ROWS = 65_536;

/** Throws `INVALID_ARGUMENT` for what is no number of rows, beside those that are open already. */
export function assertRowCount(rows: unknown, open = 0): asserts rows is number {
  assertInteger('rows', rows, 0, MAX_ROWS - open);
}

/** Throws `INVALID_ARGUMENT` for what is not one of `rows` open rows. */
export function assertOpenRow(row: unknown, rows: number, name = 'row'): asserts row is number {
  if (Number.isInteger(row) && (row as number) >= 0 && (row as number) < rows) return;
  throw wrongValue(
    name,
    row,
    rows === 0 ? 'an open row, of which there is none' : `an open row, from 0 to ${rows - 1}`,
  );
}

/** Throws `INVALID_ARGUMENT` for moves that lead out of `slots` slots, or up. */
export function assertMoves(moves: readonly SlotMove[], slots: number): void {
  if (areMoves(moves, slots)) return;
  throw wrongValue('moves', moves, `an array of { from, to, length }, down, within ${slots} slots`);
}

function areMoves(moves: readonly SlotMove[], slots: number): boolean {
  try {
    if (!Array.isArray(moves) || moves.length > slots) return false;
    for (const { from, to, length } of moves as readonly SlotMove[]) {
      if (!(isPlace(from) && isPlace(to) && isPlace(length) && to <= from && from + length <= slots)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

const isPlace = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/**
 * Throws `INVALID_ARGUMENT` for new nodes other than a forest hands to its store: one pass over them, which is nothing beside the
 * forward that follows.
 */
export function assertForward(nodes: ForwardNodes, rows?: number): void {
  if (isForward(nodes, rows)) return;
  const held = rows === undefined ? '' : `, for ${rows} open rows`;
  throw wrongValue('nodes', nodes, `new nodes of one forward, as a forest hands them to its store${held}`);
}

function isForward(nodes: ForwardNodes, open: number | undefined): boolean {
  try {
    const { trees, stored, firstRow, rows, width, gridRow, slot, tokenId, scored } = nodes;
    const count = slot.length;
    if (!Array.isArray(trees) || trees.length > MAX_ROWS || trees.length !== (open ?? trees.length)) return false;
    for (const tree of trees) if (!(tree instanceof TreeRow)) return false;
    if (!areInts(stored, trees.length) || !areInts(gridRow, count) || !areInts(slot, count)) return false;
    if (count === 0 || !areInts(tokenId, count) || !areInts(scored, scored.length)) return false;
    // One whose buffer was given away looks like an empty one.
    if (scored.length === 0 && !isInt32Array(scored)) return false;
    if (!isPlace(firstRow) || !isPlace(rows) || firstRow + rows > trees.length) return false;
    if (!isPlace(width) || width > MAX_FORWARD_WIDTH) return false;
    // A row's new nodes have the slots after those that are stored.
    // A row alone, as in most forwards, needs no list of what comes next.
    const next = trees.length === 1 ? undefined : stored.slice();
    for (let node = 0; node < count; node++) {
      const row = gridRow[node];
      if (row < firstRow || row >= firstRow + rows) return false;
      const place = next === undefined ? stored[row] + node : next[row]++;
      if (slot[node] !== place || place < 0 || place >= trees[row].size || place - stored[row] >= width) return false;
    }
    for (let index = 0; index < scored.length; index++) {
      if (scored[index] < 0 || scored[index] >= count || (index > 0 && scored[index] <= scored[index - 1]))
        return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Columns of a grid: no path is longer. */
export const MAX_FORWARD_WIDTH: number = 2 ** 24;

const areInts = (values: unknown, length: number): boolean =>
  isTypedArray('Int32Array', values) && values.length === length;

/** What an extension of a kind holds for each scored node. */
const ARRAYS: Readonly<Record<OutputRequest['kind'], readonly string[]>> = {
  argmax: ['tokenIds'],
  topK: ['tokenIds', 'logProbs'],
  logProbs: ['logProbs'],
  logits: ['logits'],
};

/** Throws `INVALID_ARGUMENT` where a store or a driver gives other scores than it was asked for; `giver` names it. */
export function assertExtension(giver: string, values: ExtensionValues, output: OutputRequest, count: number): void {
  if (isExtension(values, output, count)) return;
  throw wrongValue(giver, values, `the scores that were asked for, of ${count} nodes`);
}

function isExtension(values: ExtensionValues, output: OutputRequest, count: number): boolean {
  try {
    const { kind } = output;
    // Nobody reads scores of no node.
    if (count === 0) return typeof values === 'object' && values !== null;
    if (values.kind !== kind || !Object.hasOwn(ARRAYS, kind)) return false;
    const each = values.kind === 'topK' ? values.k : 1;
    const arrays = values as unknown as Readonly<Record<string, unknown>>;
    for (const name of ARRAYS[kind]) {
      const array = arrays[name];
      const isRight = isTypedArray(name === 'tokenIds' ? 'Int32Array' : 'Float32Array', array);
      if (!isRight || !isRows(array as Float32Array, count)) return false;
      if ((kind === 'argmax' || kind === 'topK') && (array as Float32Array).length !== each * count) return false;
    }
    for (const more of [arrays.scores, arrays.states]) {
      if (more !== undefined && !(isTypedArray('Float32Array', more) && isRows(more, count))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

const isRows = ({ length }: ArrayLike<number>, count: number): boolean => length > 0 && length % count === 0;

/** What a method of a driver gave, an object. Throws `INVALID_ARGUMENT` for anything else. */
export function givenBy<Given extends object>(method: string, given: Given): Given {
  if (typeof given === 'object' && given !== null) return given;
  throw wrongValue(`What ${method} of the driver gives`, given, 'an object of what was asked for');
}

/** Throws `INVALID_ARGUMENT` unless a driver gave as many floats as are read, or more. */
export function assertFloats(giver: string, values: unknown, min: number): asserts values is Float32Array {
  if (isTypedArray('Float32Array', values) && values.length >= min) return;
  throw wrongValue(giver, values, `a Float32Array of at least ${min}`);
}
