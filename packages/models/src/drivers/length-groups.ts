import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';

/** Padding that costs as much as starting another forward, in tokens; measured on small models. */
const FORWARD_COST = 8;

/**
 * Splits a ragged batch into groups of similar length, longest first, so that little of each forward is padding: padding
 * costs as much as text. A group of several takes at most `maxCells`, rows times the longest of them, or times `otherLength`
 * where each row is read beside something as long as that.
 */
export function groupsByLength(
  lengths: Int32Array,
  maxCells: number = MAX_FORWARD_CELLS,
  otherLength: number = 0,
): number[][] {
  const order = Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const groups: number[][] = [];
  let padding = 0;
  for (const row of order) {
    const group = groups.at(-1);
    const longest = group === undefined ? 0 : lengths[group[0]];
    padding += longest - lengths[row];
    const cells = ((group?.length ?? 0) + 1) * Math.max(longest, otherLength);
    if (group !== undefined && padding <= FORWARD_COST && cells <= maxCells) group.push(row);
    else {
      groups.push([row]);
      padding = 0;
    }
  }
  return groups;
}

/** The largest of lengths; 0 where there are none. */
export function longestOf(lengths: Int32Array): number {
  return lengths.reduce((longest, length) => Math.max(longest, length), 0);
}

/**
 * What is computed of all rows, `[parts, rows, size]` under each name, from a forward for each of `groups`,
 * `[parts, group, size]`; `sizes` tells how many values a row has when padded to a length. A single group is given the rows
 * in their order, and its values are handed on.
 */
export async function inGroups<Name extends string>(
  lengths: Int32Array,
  groups: readonly (readonly number[])[],
  sizes: Readonly<Record<Name, (time: number) => number>>,
  forward: (group: readonly number[], time: number) => Promise<Readonly<Record<Name, Float32Array>>>,
): Promise<Readonly<Record<Name, Float32Array>>> {
  const time = longestOf(lengths);
  if (groups.length === 1) return forward([...lengths.keys()], time);
  const whole: Partial<Record<Name, Float32Array>> = {};
  for (const group of groups) {
    const groupTime = lengths[group[0]];
    const values = await forward(group, groupTime);
    for (const name of Object.keys(sizes) as Name[]) {
      const [size, groupSize] = [sizes[name](time), sizes[name](groupTime)];
      const parts = values[name].length / (group.length * groupSize);
      whole[name] ??= new Float32Array(parts * lengths.length * size);
      for (let part = 0; part < parts; part++) {
        for (const [index, row] of group.entries()) {
          const from = (part * group.length + index) * groupSize;
          whole[name].set(values[name].subarray(from, from + groupSize), (part * lengths.length + row) * size);
        }
      }
    }
  }
  return whole as Record<Name, Float32Array>;
}
