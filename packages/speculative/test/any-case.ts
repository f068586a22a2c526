import type { AutoregressiveModel, Decoder, DraftLimit, DraftTree } from '@foretoken/core';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import fc from 'fast-check';
import type { SpeculativeOptions } from '../src/index.js';
import { hashScript, type Script, START, scriptedDrafter, scriptedTarget, type Target } from './scripted-target.js';

/** Ways to draft: what is right, what is wrong, and how it branches. */
const KINDS = ['empty', 'oracle', 'wrong', 'right-then-wrong', 'end-inside', 'bush', 'noise'] as const;

export interface Case {
  readonly sources: readonly number[];
  readonly size: number;
  readonly maxLength: number;
  readonly maxNewTokens: number | undefined;
  readonly stopSequences: readonly Int32Array[];
  /** What each row begins with, by its place; rows beyond begin with nothing. Some end there and then. */
  readonly prefixes: readonly Int32Array[];
  readonly branching: boolean;
  readonly shape: 'tree' | 'chain';
  readonly scores: boolean;
  readonly maxNodes: number;
  readonly maxDepth: number;
  readonly kind: (typeof KINDS)[number];
  readonly seed: number;
}

/** Small vocabularies, so that end tokens, stop sequences and accidental agreement are common. */
export const anyCase: fc.Arbitrary<Case> = fc
  .record({
    sources: fc.array(fc.nat(1e6), { minLength: 1, maxLength: 4 }),
    size: fc.integer({ min: 3, max: 9 }),
    maxLength: fc.integer({ min: 2, max: 24 }),
    maxNewTokens: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    stopSequences: fc.array(
      fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }).map((tokenIds) => Int32Array.from(tokenIds)),
      { maxLength: 2 },
    ),
    prefixes: fc.array(
      fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 3 }).map((tokenIds) => Int32Array.from(tokenIds)),
      { maxLength: 4 },
    ),
    branching: fc.boolean(),
    chain: fc.boolean(),
    scores: fc.boolean(),
    maxNodes: fc.integer({ min: 1, max: 8 }),
    maxDepth: fc.integer({ min: 1, max: 8 }),
    kind: fc.constantFrom(...KINDS),
    seed: fc.nat(1000),
  })
  .filter(({ maxLength, prefixes }) => prefixes.every(({ length }) => length <= maxLength - START.length))
  .map(({ prefixes, ...rest }) => ({ ...rest, prefixes: prefixes.map((one) => untilStop(one, rest.stopSequences)) }))
  .map(({ chain, ...rest }) => ({ ...rest, shape: chain || !rest.branching ? 'chain' : 'tree' }));

/** A beginning up to where it ends by itself: tokens behind that are refused. */
function untilStop(tokenIds: Int32Array, stopSequences: readonly Int32Array[]): Int32Array {
  for (let end = 1; end < tokenIds.length; end++) {
    const begin = tokenIds.subarray(0, end);
    if (stopSequences.some((stop) => `,${begin}`.endsWith(`,${stop}`))) return begin;
  }
  return tokenIds;
}

/** A draft of the given kind that keeps the drafter's contract. */
function draftOf(
  { kind, size, seed }: Pick<Case, 'kind' | 'size' | 'seed'>,
  script: Script,
  source: number,
  output: readonly number[],
  limit: DraftLimit,
  call: number,
): DraftTree {
  const tokenIds: number[] = [];
  const parents: number[] = [];
  const paths: (readonly number[])[] = [];
  const depthOf = (parent: number): number => (parent < 0 ? 0 : (paths[parent] as number[]).length - output.length);
  const add = (parent: number, tokenId: number): number => {
    const taken = tokenIds.some((other, node) => other === tokenId && parents[node] === parent);
    const full = tokenIds.length >= limit.nodes || depthOf(parent) >= limit.depth;
    if (taken || full || tokenIds[parent] === 0) return -1;
    parents.push(parent);
    paths.push([...(parent < 0 ? output : (paths[parent] as number[])), tokenId]);
    return tokenIds.push(tokenId) - 1;
  };
  const right = (parent: number): number => script(source, parent < 0 ? output : (paths[parent] as number[]));
  const wrong = (parent: number, by = 1): number => (right(parent) + by) % size;
  const turn = (seed + call) % 4;
  let at = -1;
  for (let depth = 0; depth < limit.depth && kind !== 'empty'; depth++) {
    if (kind === 'bush') for (let by = 1; by <= turn; by++) add(at, wrong(at, by));
    const isWrong = kind === 'wrong' || (kind === 'right-then-wrong' && depth === turn);
    const isNoise = kind === 'noise' && (seed * 31 + call * 7 + depth * 3) % 3 === 0;
    const tokenId = kind === 'end-inside' && depth === turn ? 0 : isWrong || isNoise ? wrong(at) : right(at);
    at = add(at, tokenId);
    if (at < 0) break;
  }
  return { tokenIds: Int32Array.from(tokenIds), parents: Int32Array.from(parents) };
}

export type Factory = (options: SpeculativeOptions<number>) => Decoder<AutoregressiveModel<number>>;

/** Decodes a case greedily and speculatively; returns both results and the targets. */
export async function decodeBoth(
  one: Case,
  make: Factory,
  wrap: (target: Target) => AutoregressiveModel<number> = (target) => target,
) {
  const script = hashScript(one.size);
  const { sources, stopSequences, maxNewTokens } = one;
  const outputPrefixes = sources.map((_, row) => one.prefixes[row] ?? new Int32Array());
  const request = { sources, stopSequences, maxNewTokens, outputPrefixes };
  const plain = scriptedTarget({ ...one, script, branching: false, rollback: false });
  const target = scriptedTarget({ ...one, script });
  const drafter = scriptedDrafter((source, output, limit, call) => draftOf(one, script, source, output, limit, call));
  const { shape, maxNodes, maxDepth, scores } = one;
  const decoder = make({ drafter, shape, maxNodes, maxDepth, scores });
  const expected = await collect(greedy<number>({ scores }).decode(plain, request));
  const received = await collect(decoder.decode(wrap(target), request));
  return { expected, received, plain, target, drafter };
}

/** Whether any of `runs` random cases tells the decoder from greedy decoding; a decoder that throws is told, too. */
export async function findsDifference(
  make: Factory,
  wrap?: (target: Target) => AutoregressiveModel<number>,
  runs = 500,
): Promise<boolean> {
  const outcome = await fc.check(
    fc.asyncProperty(anyCase, async (one) => {
      const { expected, received } = await decodeBoth(one, make, wrap);
      return JSON.stringify(expected.results) === JSON.stringify(received.results);
    }),
    { numRuns: runs, endOnFailure: true },
  );
  return outcome.failed;
}
