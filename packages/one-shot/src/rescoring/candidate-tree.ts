/** Token sequences as one tree: what several begin with is there once. Parallel arrays, parents before children. */
export interface CandidateTree {
  /** `[nodes]`. */
  readonly tokenIds: readonly number[];
  /** Index of the node before, `[nodes]`; -1 for a sequence's first token. */
  readonly parents: readonly number[];
  /** Node of each sequence's last token, `[sequences]`; -1 for an empty sequence. */
  readonly leaves: readonly number[];
  /** Most tokens of a sequence. */
  readonly depth: number;
  /** Whether some token has several successors. */
  readonly branches: boolean;
}

export function candidateTree(sequences: readonly ArrayLike<number>[]): CandidateTree {
  const tokenIds: number[] = [];
  const parents: number[] = [];
  const children = new Map<number, Map<number, number>>();
  let depth = 0;
  let branches = false;
  const leaves = sequences.map((sequence) => {
    let node = -1;
    for (let position = 0; position < sequence.length; position++) {
      const tokenId = sequence[position];
      const known = children.get(node) ?? new Map<number, number>();
      children.set(node, known);
      let child = known.get(tokenId);
      if (child === undefined) {
        child = tokenIds.push(tokenId) - 1;
        parents.push(node);
        if (known.size > 0) branches = true;
        known.set(tokenId, child);
      }
      node = child;
    }
    depth = Math.max(depth, sequence.length);
    return node;
  });
  return { tokenIds, parents, leaves, depth, branches };
}
