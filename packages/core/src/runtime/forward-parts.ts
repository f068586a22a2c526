import type { ForwardNodes } from './node-store.js';
import { STEADY_SLOTS } from './steady-slots.js';

/** How much one forward may compute. */
export interface ForwardLimits {
  /** Most cells, rows times columns of its grid. */
  readonly cells: number;
  /** Most scored nodes. */
  readonly scores: number;
}

/** A part of a forward, computed by itself. */
export interface ForwardPart extends ForwardNodes {
  /** Place of each of its scored nodes among those of the whole. */
  readonly places: Int32Array;
}

/** Where rows are many, a part still takes this many columns of them: with one, ONNX Runtime attends with other kernels. */
const MIN_COLUMNS = 16;

/**
 * Cuts a forward into parts of at most `limits`, parents before children; `undefined` where it is within them as it stands.
 *
 * A part is a block of neighbouring rows and columns. Blocks are as even as can be, so that no part is left with one column.
 */
export function cutForward(nodes: ForwardNodes, limits: ForwardLimits): readonly ForwardPart[] | undefined {
  const { firstRow, rows, width, scored, stored } = nodes;
  const cells = scored.length > limits.scores ? Math.min(limits.cells, limits.scores) : limits.cells;
  if (rows * width <= cells) return undefined;
  const rowParts = Math.ceil(rows / Math.max(1, Math.floor(cells / Math.min(width, MIN_COLUMNS))));
  const columns = Math.max(1, Math.floor(cells / Math.ceil(rows / rowParts)));
  // Cut between whole vectors of slots, what is added up together does not depend on where the cuts are.
  const unit = columns < STEADY_SLOTS ? 1 : STEADY_SLOTS;
  const units = Math.ceil((width + unit - 1) / unit);
  const columnParts = Math.ceil(units / Math.floor(columns / unit));
  const count = nodes.slot.length;
  const partOf = new Int32Array(count);
  const sizes = new Int32Array(rowParts * columnParts);
  for (let node = 0; node < count; node++) {
    const gridRow = nodes.gridRow[node];
    const column = Math.floor(nodes.slot[node] / unit) - Math.floor(stored[gridRow] / unit);
    const part = evenPart(gridRow - firstRow, rows, rowParts) * columnParts + evenPart(column, units, columnParts);
    partOf[node] = part;
    sizes[part]++;
  }
  const members = Array.from(sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(sizes.length);
  for (let node = 0; node < count; node++) {
    const part = partOf[node];
    const at = filled[part];
    members[part][at] = node;
    filled[part] = at + 1;
  }
  const placeOf = new Int32Array(count).fill(-1);
  scored.forEach((node, place) => {
    placeOf[node] = place;
  });
  return members.filter(({ length }) => length > 0).map((part) => partOfNodes(nodes, part, placeOf));
}

/** The part that item `index` of `count` falls in, where they are dealt out to `parts` in order and evenly. */
function evenPart(index: number, count: number, parts: number): number {
  return Math.floor(((index + 1) * parts - 1) / count);
}

function partOfNodes(whole: ForwardNodes, members: Int32Array, placeOf: Int32Array): ForwardPart {
  const gridRow = members.map((node) => whole.gridRow[node]);
  const added = new Map<number, number>();
  for (const row of gridRow) added.set(row, (added.get(row) ?? 0) + 1);
  const touched = [...added.keys()];
  const firstRow = touched.reduce((a, b) => Math.min(a, b));
  const lastRow = touched.reduce((a, b) => Math.max(a, b));
  const scored: number[] = [];
  members.forEach((node, index) => {
    if (placeOf[node] >= 0) scored.push(index);
  });
  return {
    trees: whole.trees,
    stored: whole.stored,
    firstRow,
    rows: lastRow - firstRow + 1,
    // Where the whole has two columns, what is left of a row has them too, so that it runs in the same kernels.
    width: [...added.values()].reduce((a, b) => Math.max(a, b), Math.min(2, whole.width)),
    gridRow,
    slot: members.map((node) => whole.slot[node]),
    tokenId: members.map((node) => whole.tokenId[node]),
    scored: Int32Array.from(scored),
    places: Int32Array.from(scored, (index) => placeOf[members[index]]),
  };
}
