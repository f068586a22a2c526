/**
 * Most cells of a forward, rows times padded length: more would take memory and hold the thread longer, and gain no speed.
 */
export const MAX_FORWARD_CELLS = 1024;

/** Most scores of a forward, cells times vocabulary: 32 MiB of float32. */
const MAX_FORWARD_SCORES = 2 ** 23;

/** Most cells of a forward that scores a vocabulary of `size` tokens at each cell. */
export function maxScoredCells(size: number): number {
  return Math.max(1, Math.min(MAX_FORWARD_CELLS, Math.floor(MAX_FORWARD_SCORES / size)));
}

/**
 * Cuts items, in their order, into parts of at most `maxCells` cells, as many rows as items, each as long as the longest of
 * them; an item that is longer is a part of its own.
 */
export function forwardParts<Item>(
  items: readonly Item[],
  lengthOf: (item: Item) => number,
  maxCells: number = MAX_FORWARD_CELLS,
): Item[][] {
  const parts: Item[][] = [];
  let longest = 0;
  for (const item of items) {
    const part = parts.at(-1);
    longest = Math.max(longest, lengthOf(item));
    if (part !== undefined && (part.length + 1) * longest <= maxCells) {
      part.push(item);
      continue;
    }
    parts.push([item]);
    longest = lengthOf(item);
  }
  return parts;
}
