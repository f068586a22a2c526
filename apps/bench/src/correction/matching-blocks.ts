/** Runs that two sequences have in common: `size` entries from `a` of the one and from `b` of the other. */
export interface MatchingBlock {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** What turns one sequence into another, as in Python's difflib, in the order of the sequences. */
export interface Replacement {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

/**
 * The longest run in common, then the same to its left and to its right (Ratcliff and Obershelp, 1988): what Python's
 * `SequenceMatcher` without its heuristic of junk gives, so that figures are those of the recipe.
 */
export function matchingBlocks(left: readonly string[], right: readonly string[]): MatchingBlock[] {
  const places = new Map<string, number[]>();
  for (const [index, word] of right.entries()) places.set(word, [...(places.get(word) ?? []), index]);
  const blocks: MatchingBlock[] = [];
  const visit = (a0: number, a1: number, b0: number, b1: number): void => {
    const found = longest(left, places, a0, a1, b0, b1);
    if (found.size === 0) return;
    visit(a0, found.a, b0, found.b);
    const last = blocks.at(-1);
    if (last !== undefined && last.a + last.size === found.a && last.b + last.size === found.b) {
      blocks[blocks.length - 1] = { ...last, size: last.size + found.size };
    } else blocks.push(found);
    visit(found.a + found.size, a1, found.b + found.size, b1);
  };
  visit(0, left.length, 0, right.length);
  return blocks;
}

function longest(
  left: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  a0: number,
  a1: number,
  b0: number,
  b1: number,
): MatchingBlock {
  let best: MatchingBlock = { a: a0, b: b0, size: 0 };
  let lengths = new Map<number, number>();
  for (let a = a0; a < a1; a++) {
    const next = new Map<number, number>();
    for (const b of places.get(left[a]) ?? []) {
      if (b < b0 || b >= b1) continue;
      const size = (lengths.get(b - 1) ?? 0) + 1;
      next.set(b, size);
      if (size > best.size) best = { a: a - size + 1, b: b - size + 1, size };
    }
    lengths = next;
  }
  return best;
}

export function replacements(left: readonly string[], right: readonly string[]): Replacement[] {
  const found: Replacement[] = [];
  let [a, b] = [0, 0];
  for (const block of [...matchingBlocks(left, right), { a: left.length, b: right.length, size: 0 }]) {
    if (a < block.a || b < block.b) found.push({ a: [a, block.a], b: [b, block.b] });
    a = block.a + block.size;
    b = block.b + block.size;
  }
  return found;
}
