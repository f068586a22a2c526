import type { DraftTree } from '@foretoken/core';
import { chainDraft, EMPTY_DRAFT } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertDraft, firstChildPath, firstNodes, ownDraft, withoutEndTokens } from '../src/draft-tree.js';
import { anyDraft } from './any-draft.js';

const VOCABULARY = { size: 10, endTokenId: 9 };
const LIMIT = { nodes: 4, depth: 3 };

function tree(tokenIds: readonly number[], parents: readonly number[]): DraftTree {
  return { tokenIds: Int32Array.from(tokenIds), parents: Int32Array.from(parents) };
}

function pathsOf(draft: DraftTree): string[] {
  const paths: string[] = [];
  draft.tokenIds.forEach((tokenId, node) => {
    const parent = draft.parents[node];
    paths.push(parent < 0 ? `${tokenId}` : `${paths[parent]},${tokenId}`);
  });
  return paths;
}

describe('assertDraft', () => {
  it('returns the depth of a valid draft', () => {
    expect(assertDraft(EMPTY_DRAFT, LIMIT, VOCABULARY, 'test')).toBe(0);
    expect(assertDraft(chainDraft([1, 1, 9]), LIMIT, VOCABULARY, 'test')).toBe(3);
    expect(assertDraft(tree([1, 2, 3, 2], [-1, -1, 0, 0]), LIMIT, VOCABULARY, 'test')).toBe(2);
  });

  it.each([
    ['too many nodes', tree([1, 2, 3, 4, 5], [-1, -1, -1, -1, -1]), /5 nodes.*at most 4/],
    ['too deep', chainDraft([1, 2, 3, 4]), /path of 4.*at most 3/],
    ['arrays of different lengths', tree([1, 2], [-1]), /1 parents for 2 tokens/],
    ['a parent that comes later', tree([1, 2], [1, -1]), /parent 1 at node 0/],
    ['a parent of its own', tree([1], [0]), /parent 0 at node 0/],
    ['a parent below -1', tree([1], [-2]), /parent -2/],
    ['a token past the vocabulary', chainDraft([10]), /token id 10/],
    ['a negative token', chainDraft([-1]), /token id -1/],
    ['a child of an end token', chainDraft([9, 1]), /end token at node 1/],
    ['equal siblings', tree([1, 2, 3, 2], [-1, 0, 0, 0]), /siblings 1 and 3/],
    ['equal first tokens', tree([1, 2, 1], [-1, 0, -1]), /siblings 0 and 2/],
  ])('refuses %s', (_name, draft, message) => {
    expect(() => assertDraft(draft, LIMIT, VOCABULARY, 'test')).toThrowError(
      expect.objectContaining({ code: 'INVALID_DRAFT', message: expect.stringMatching(message) }),
    );
  });
});

it('probabilities are numbers from 0 to 1, both included', () => {
  const draft = (...probabilities: number[]) => ({ ...chainDraft([1, 2]), probabilities });
  expect(ownDraft(draft(0, 1), 'test').probabilities).toEqual(Float32Array.of(0, 1));
  for (const odd of [-0.1, 1.1, Number.NaN]) {
    expect(() => ownDraft(draft(0, odd), 'test')).toThrow(expect.objectContaining({ code: 'INVALID_DRAFT' }));
  }
});

describe('cuts', () => {
  it('firstChildPath takes the first child of every node', () => {
    expect(firstChildPath(tree([5, 6, 7, 8, 4], [-1, -1, 0, 0, 2]))).toEqual(chainDraft([5, 7, 4]));
  });

  it('firstChildPath leaves a chain as it is and always gives one', () => {
    fc.assert(
      fc.property(anyDraft(5), (draft) => {
        const path = firstChildPath(draft);
        expect(path).toEqual(chainDraft(path.tokenIds));
        expect(firstChildPath(path)).toEqual(path);
        expect(path.tokenIds.length > 0).toBe(draft.tokenIds.length > 0);
        for (const kept of pathsOf(path)) expect(pathsOf(draft)).toContain(kept);
      }),
    );
  });

  it('keep what a draft says of each token', () => {
    // The probability of a node is written into its token.
    const told = (draft: DraftTree): DraftTree => ({
      ...draft,
      probabilities: Float32Array.from(draft.tokenIds, (tokenId) => tokenId / 8),
    });
    fc.assert(
      fc.property(anyDraft(5), fc.nat(6), (draft, nodes) => {
        for (const cut of [
          firstChildPath,
          (one: DraftTree) => withoutEndTokens(one, 4),
          (one: DraftTree) => firstNodes(one, nodes),
        ]) {
          const kept = cut(told(draft));
          expect(kept).toEqual(told(kept));
        }
      }),
    );
  });

  it('withoutEndTokens drops end tokens and keeps every other path', () => {
    fc.assert(
      fc.property(anyDraft(5), (draft) => {
        const inner = new Set(draft.parents);
        fc.pre(draft.tokenIds.every((tokenId, node) => tokenId !== 4 || !inner.has(node)));
        const others = pathsOf(draft).filter((path) => !path.split(',').includes('4'));
        expect(pathsOf(withoutEndTokens(draft, 4))).toEqual(others);
      }),
    );
  });
});
