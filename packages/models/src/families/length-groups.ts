/** Padding that costs as much as starting another forward, in tokens; measured on small models. */
const FORWARD_COST = 8;

/**
 * Splits a ragged batch into groups of similar length, longest first, so that little of each forward is padding: padding
 * costs as much as text. A group of several takes at most `most` positions, padding included.
 */
export function groupsByLength(lengths: Int32Array, most: number = Number.POSITIVE_INFINITY): number[][] {
  const order = Array.from(lengths.keys()).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const groups: number[][] = [];
  let padding = 0;
  for (const row of order) {
    const group = groups.at(-1);
    const longest = group === undefined ? 0 : (lengths[group[0] as number] as number);
    padding += longest - (lengths[row] as number);
    const fits = group !== undefined && padding <= FORWARD_COST && (group.length + 1) * longest <= most;
    if (fits) group.push(row);
    else {
      groups.push([row]);
      padding = 0;
    }
  }
  return groups;
}

/** Copies what a forward made of the rows `group`, `[parts, group, partSize]`, into `all [parts, rows, size]`, at its rows. */
export function scatter(
  part: Float32Array,
  partSize: number,
  group: readonly number[],
  { all, rows, size }: { readonly all: Float32Array; readonly rows: number; readonly size: number },
): void {
  const parts = all.length / (rows * size);
  for (let number = 0; number < parts; number++) {
    for (const [index, row] of group.entries()) {
      const from = (number * group.length + index) * partSize;
      all.set(part.subarray(from, from + partSize), (number * rows + row) * size);
    }
  }
}
