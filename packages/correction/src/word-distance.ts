/** Longer words are compared as wholes. */
const LONGEST = 64;
/** Rows of the table, used again for every pair of words. */
const ROWS = [new Uint8Array(LONGEST + 1), new Uint8Array(LONGEST + 1), new Uint8Array(LONGEST + 1)] as const;

/**
 * How different two words are, from 0 (equal) to 1 (nothing in common): their edit distance, swapped neighbours included
 * (Damerau, 1964), as a share of the longer one.
 */
export function wordDistance(before: string, after: string): number {
  if (before === after) return 0;
  const longer = Math.max(before.length, after.length);
  if (longer > LONGEST) return 1;
  let earlier = ROWS[0];
  let last = ROWS[1];
  let next = ROWS[2];
  for (let column = 0; column <= after.length; column++) last[column] = column;
  for (let row = 1; row <= before.length; row++) {
    next[0] = row;
    const unit = before.charCodeAt(row - 1);
    for (let column = 1; column <= after.length; column++) {
      const other = after.charCodeAt(column - 1);
      let cost = Math.min(last[column - 1] + (unit === other ? 0 : 1), last[column] + 1, next[column - 1] + 1);
      if (row > 1 && column > 1 && unit === after.charCodeAt(column - 2) && before.charCodeAt(row - 2) === other) {
        cost = Math.min(cost, earlier[column - 2] + 1);
      }
      next[column] = cost;
    }
    [earlier, last, next] = [last, next, earlier];
  }
  return last[after.length] / longer;
}
