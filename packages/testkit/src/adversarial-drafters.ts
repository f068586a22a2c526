import type { Drafter, DraftLimit, DraftTree, TokenSource } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  integer,
  type OptionTable,
  oneOf,
  sources as readSources,
} from '@foretoken/core/kit';
import type { Score } from './random-logits.js';
import { ranked } from './scripted-scores.js';

/**
 * Ways to draft that a verifier must survive: nothing; always right; always wrong; right, then wrong; the end token in
 * the middle; a bush of wrong siblings around the right path; unrelated noise.
 */
export const DRAFT_KINDS = ['empty', 'right', 'wrong', 'right-then-wrong', 'end-inside', 'bush', 'noise'] as const;

/** Kinds of drafts: from none and useless ones to those that the target accepts whole. */
export type DraftKind = (typeof DRAFT_KINDS)[number];

/** What an adversarial drafter is made of. */
export interface AdversarialOptions {
  readonly kind: DraftKind;
  /** The target's own score function. */
  readonly score: Score;
  readonly vocabularySize: number;
  readonly endTokenId: number;
  readonly seed: number;
}

const OPTIONS: OptionTable<AdversarialOptions> = {
  kind: oneOf(...DRAFT_KINDS),
  score: callback<Score>(anything),
  vocabularySize: integer(1),
  endTokenId: integer(-1),
  seed: integer(0),
};

/** A drafter that keeps its contract and is as unhelpful, or as helpful, as its kind says. */
export function adversarialDrafter(options: AdversarialOptions): Drafter<TokenSource> {
  options = checkOptions('adversarialDrafter', options, OPTIONS, [
    'kind',
    'score',
    'vocabularySize',
    'endTokenId',
    'seed',
  ]);
  return {
    name: `adversarial ${options.kind}`,
    async open(sources) {
      // Counted by row, so that a row is drafted alike whatever is beside it.
      const calls = readSources('sources', sources).map(() => 0);
      return {
        forwards: 0,
        propose: (requests) =>
          requests.map(({ row, prefix, limit }) => {
            const call = calls[row];
            calls[row] = call + 1;
            return draft(options, sources[row], [...prefix], limit, call);
          }),
        finish() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

function draft(
  { kind, score, vocabularySize, endTokenId, seed }: AdversarialOptions,
  source: TokenSource,
  output: readonly number[],
  limit: DraftLimit,
  call: number,
): DraftTree {
  const tokenIds: number[] = [];
  const parents: number[] = [];
  const paths: (readonly number[])[] = [];
  const pathOf = (node: number): readonly number[] => (node < 0 ? output : paths[node]);
  const add = (parent: number, tokenId: number): number => {
    const taken = tokenIds.some((other, node) => other === tokenId && parents[node] === parent);
    const deep = pathOf(parent).length - output.length >= limit.depth;
    if (taken || deep || tokenIds.length >= limit.nodes || tokenIds[parent] === endTokenId) return -1;
    parents.push(parent);
    paths.push([...pathOf(parent), tokenId]);
    return tokenIds.push(tokenId) - 1;
  };
  const right = (parent: number): number => ranked(score(source, pathOf(parent)))[0];
  const wrong = (parent: number, by = 1): number => (right(parent) + by) % vocabularySize;
  const turn = (seed + call) % 4;
  let at = -1;
  for (let depth = 0; depth < limit.depth && kind !== 'empty'; depth++) {
    if (kind === 'bush') for (let by = 1; by <= turn; by++) add(at, wrong(at, by));
    const fails =
      kind === 'wrong' ||
      (kind === 'right-then-wrong' && depth === turn) ||
      (kind === 'noise' && (seed * 31 + call * 7 + depth * 3) % 3 === 0);
    const ends = kind === 'end-inside' && depth === turn;
    at = add(at, ends ? endTokenId : fails ? wrong(at) : right(at));
    if (at < 0) break;
  }
  return { tokenIds: Int32Array.from(tokenIds), parents: Int32Array.from(parents) };
}
