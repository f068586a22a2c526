/** Padding that costs as much as starting another forward, in tokens; measured on small models. */
const FORWARD_COST = 8;

/**
 * Splits a ragged batch into groups of similar length, longest first, so that little of each forward is padding: padding
 * costs as much as text.
 */
export function groupsByLength(lengths: Int32Array): number[][] {
  const order = Array.from(lengths.keys()).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const groups: number[][] = [];
  let padding = 0;
  for (const row of order) {
    const group = groups.at(-1);
    const longest = group === undefined ? 0 : (lengths[group[0] as number] as number);
    padding += longest - (lengths[row] as number);
    if (group !== undefined && padding <= FORWARD_COST) group.push(row);
    else {
      groups.push([row]);
      padding = 0;
    }
  }
  return groups;
}
