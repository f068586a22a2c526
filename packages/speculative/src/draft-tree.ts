import { type DraftLimit, type DraftTree, ForetokenError, type Vocabulary } from '@foretoken/core';
import { show } from '@foretoken/core/kit';

/** More token ids than an Int32Array can hold. */
const TOKEN_IDS = 2 ** 31;

/**
 * What a drafter proposed, as a draft of our own: what the drafter does with its arrays later changes nothing. Throws
 * `INVALID_DRAFT` for anything of another type; what it says is for `assertDraft` to check.
 */
export function ownDraft(proposal: unknown, drafter: string): DraftTree {
  if (typeof proposal !== 'object' || proposal === null) {
    throw invalid(drafter, show(proposal), 'a draft with tokenIds and parents', { received: proposal });
  }
  const { tokenIds, parents, probabilities } = proposal as Readonly<Record<string, unknown>>;
  const own = (field: string, values: unknown): Int32Array => {
    if (isInt32Array(values)) return new Int32Array(values);
    throw invalid(drafter, `${field} ${show(values)}`, 'an Int32Array', { field, received: values });
  };
  const draft = { tokenIds: own('tokenIds', tokenIds), parents: own('parents', parents) };
  if (probabilities === undefined) return draft;
  return { ...draft, probabilities: ownProbabilities(probabilities, draft.tokenIds.length, drafter) };
}

/** Also one of another realm. */
function isInt32Array(value: unknown): value is Int32Array<ArrayBuffer> {
  return ArrayBuffer.isView(value) && (value as Partial<Int32Array>)[Symbol.toStringTag] === 'Int32Array';
}

/** A draft may say how probable its nodes are; then it says something sensible. */
function ownProbabilities(given: unknown, nodes: number, drafter: string): Float32Array {
  const probabilities = given as ArrayLike<unknown> | null;
  if (probabilities?.length !== nodes) {
    throw invalid(drafter, `probabilities ${show(given)}`, `${nodes} of them, one for each token`, {
      received: given,
    });
  }
  const own = new Float32Array(nodes);
  for (let node = 0; node < nodes; node++) {
    // Each is read once, since reading it again might give another.
    const probability = probabilities[node];
    if (!(typeof probability === 'number' && probability >= 0 && probability <= 1)) {
      throw invalid(drafter, `probability ${show(probability)} at node ${node}`, 'a number from 0 to 1', { node });
    }
    own[node] = probability;
  }
  return own;
}

/** The first nodes of a draft. */
export function firstNodes(draft: DraftTree, nodes: number): DraftTree {
  if (draft.tokenIds.length <= nodes) return draft;
  // Copies: a view of so few numbers takes longer, and more memory.
  return {
    tokenIds: draft.tokenIds.slice(0, nodes),
    parents: draft.parents.slice(0, nodes),
    probabilities: draft.probabilities?.slice(0, nodes),
  };
}

/**
 * Checks a draft against the drafter's contract and returns its depth, the nodes on its longest path.
 *
 * Throws `INVALID_DRAFT`: too many or too deep, a parent that is not an earlier node, a token outside the vocabulary, a
 * child of an end token, or two siblings with the same token.
 */
export function assertDraft(draft: DraftTree, limit: DraftLimit, vocabulary: Vocabulary, drafter: string): number {
  const { tokenIds, parents } = draft;
  const nodes = tokenIds.length;
  if (parents.length !== nodes) {
    throw invalid(drafter, `${parents.length} parents for ${nodes} tokens`, 'one parent for each token', { nodes });
  }
  if (nodes > limit.nodes) throw invalid(drafter, `${nodes} nodes`, `at most ${limit.nodes}`, { nodes });
  const depths = new Int32Array(nodes);
  // Nodes by parent and token; in a chain no node has a sibling.
  const children = parents.every((parent, node) => parent === node - 1) ? undefined : new Map<number, number>();
  let depth = 0;
  for (let node = 0; node < nodes; node++) {
    const parent = parents[node];
    const tokenId = tokenIds[node];
    if (!(parent >= -1 && parent < node)) {
      throw invalid(drafter, `parent ${parent} at node ${node}`, 'an earlier node or -1', { node, parent });
    }
    if (!(tokenId >= 0 && tokenId < vocabulary.size)) {
      throw invalid(drafter, `token id ${tokenId}`, `an id below ${vocabulary.size}`, { node, tokenId });
    }
    if (parent >= 0 && tokenIds[parent] === vocabulary.endTokenId) {
      throw invalid(drafter, `a child of an end token at node ${node}`, 'end tokens to be leaves', { node, parent });
    }
    if (children !== undefined) {
      const child = (parent + 1) * TOKEN_IDS + tokenId;
      const sibling = children.get(child);
      if (sibling !== undefined) {
        throw invalid(drafter, `siblings ${sibling} and ${node} with token id ${tokenId}`, 'different tokens', {
          node,
        });
      }
      children.set(child, node);
    }
    const at = parent < 0 ? 1 : depths[parent] + 1;
    if (at > limit.depth) throw invalid(drafter, `a path of ${at} nodes`, `at most ${limit.depth}`, { node });
    depths[node] = at;
    if (at > depth) depth = at;
  }
  return depth;
}

function invalid(
  drafter: string,
  received: string,
  required: string,
  details: Readonly<Record<string, unknown>>,
): ForetokenError {
  return new ForetokenError('INVALID_DRAFT', `The drafter ${drafter} offered ${received}; required: ${required}.`, {
    drafter,
    ...details,
  });
}

/** The path that takes the first child of every node: a drafter lists the likelier sibling first. */
export function firstChildPath(draft: DraftTree): DraftTree {
  return select(draft, (parent, kept) => parent === kept);
}

/**
 * The draft without its end tokens: what the target chooses after their parents already tells whether the output ends,
 * so scoring them can save nothing.
 */
export function withoutEndTokens(draft: DraftTree, endTokenId: number | undefined): DraftTree {
  if (endTokenId === undefined || !draft.tokenIds.includes(endTokenId)) return draft;
  return select(draft, (_parent, _kept, tokenId) => tokenId !== endTokenId);
}

/** Keeps nodes whose kept parents they still have; `kept` is the original index of the node kept last, or -1. */
function select(draft: DraftTree, keep: (parent: number, kept: number, tokenId: number) => boolean): DraftTree {
  const tokenIds: number[] = [];
  const parents: number[] = [];
  const probabilities: number[] = [];
  const newIndex = new Int32Array(draft.tokenIds.length);
  let kept = -1;
  for (let node = 0; node < newIndex.length; node++) {
    const parent = draft.parents[node];
    const tokenId = draft.tokenIds[node];
    if (!keep(parent, kept, tokenId)) continue;
    newIndex[node] = tokenIds.push(tokenId) - 1;
    parents.push(parent < 0 ? -1 : newIndex[parent]);
    if (draft.probabilities !== undefined) probabilities.push(draft.probabilities[node]);
    kept = node;
  }
  return {
    tokenIds: Int32Array.from(tokenIds),
    parents: Int32Array.from(parents),
    probabilities: draft.probabilities === undefined ? undefined : Float32Array.from(probabilities),
  };
}
