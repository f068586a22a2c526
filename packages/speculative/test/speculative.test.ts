import {
  collect,
  type DecodeEvent,
  type DecodeStatistics,
  type DraftTree,
  type SpeculationStatistics,
} from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { randomScriptedModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainDraft, EMPTY_DRAFT, ngramDrafter, speculative } from '../src/index.js';
import { anyCase, decodeBoth } from './any-case.js';
import { counting } from './counting-target.js';
import { scriptedDrafter, scriptedTarget } from './scripted-target.js';

function speculationOf({ speculation }: DecodeStatistics): SpeculationStatistics {
  if (speculation === undefined) throw new Error('no statistics of speculation');
  return speculation;
}

describe('speculative decoding equals greedy decoding', () => {
  it('on random targets with adversarial drafts: tokens, scores, reasons, and never more forwards', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        const { expected, received, plain, target, drafter } = await decodeBoth(one, speculative);
        expect(received.results).toEqual(expected.results);
        const { statistics } = received;
        expect(statistics.forwards).toBe(target.log.forwards.length);
        expect(statistics.forwards).toBeLessThanOrEqual(plain.log.forwards.length);
        expect(statistics.tokens).toBe(expected.statistics.tokens);
        const { proposed, evaluated, accepted } = speculationOf(statistics);
        expect(accepted).toBeLessThanOrEqual(evaluated);
        expect(evaluated).toBeLessThanOrEqual(proposed);
        expect(target.log).toMatchObject({ opened: 1, disposed: 1 });
        expect(drafter.log).toMatchObject({ opened: 1, disposed: 1 });
        expect(target.log.finished.toSorted()).toEqual(one.sources.map((_, row) => row));
        expect(drafter.log.finished.toSorted()).toEqual(one.sources.map((_, row) => row));
      }),
      { numRuns: 3000 },
    );
  });

  it('commits each row once, in order, and reports every round', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        const events: DecodeEvent[] = [];
        const recording: typeof speculative = (options) => {
          const decoder = speculative(options);
          return {
            ...decoder,
            async *decode(model, request) {
              for await (const event of decoder.decode(model, request)) {
                events.push(event);
                yield event;
              }
            },
          };
        };
        const { received } = await decodeBoth(one, recording);
        const sums = { proposed: 0, evaluated: 0, accepted: 0 };
        const rounds = one.sources.map(() => 0);
        // What the output begins with is committed before the first round.
        const decided = one.sources.map((_, row) => one.prefixes[row]?.length ?? 0);
        const outputs: number[][] = one.sources.map(() => []);
        for (const event of events) {
          if (event.type === 'token-commit') {
            expect(event.position).toBe(outputs[event.row]?.length);
            expect(event.tokenIds.length).toBeGreaterThan(0);
            outputs[event.row]?.push(...event.tokenIds);
          } else if (event.type === 'draft-end') {
            expect(event.round).toBe(rounds[event.row]);
            rounds[event.row] = event.round + 1;
            expect(event.depth).toBeLessThanOrEqual(event.proposed);
            expect(event.draft.tokenIds).toHaveLength(event.evaluated);
            const committed = outputs[event.row]?.slice(decided[event.row]) ?? [];
            expect(agreed(event.draft, committed)).toBeGreaterThanOrEqual(event.accepted);
            decided[event.row] = outputs[event.row]?.length ?? 0;
            for (const key of ['proposed', 'evaluated', 'accepted'] as const) sums[key] += event[key];
          }
        }
        expect(outputs).toEqual(received.results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])]));
        expect(received.statistics.speculation).toMatchObject(sums);
        expect(received.statistics.forwards).toBe(Math.max(...rounds));
        expect(speculationOf(received.statistics).draftForwards).toBe(3);
      }),
      { numRuns: 300 },
    );
  });
});

/** How many tokens are a path of the draft from its root. */
function agreed({ tokenIds, parents }: DraftTree, tokens: readonly number[]): number {
  let node = -1;
  for (const [depth, tokenId] of tokens.entries()) {
    node = tokenIds.findIndex((id, index) => id === tokenId && parents[index] === node);
    if (node < 0) return depth;
  }
  return tokens.length;
}

const oracle = (depth: number): ReturnType<typeof scriptedDrafter> =>
  scriptedDrafter((source, output, limit) => {
    const wanted = Math.min(depth, limit.depth, limit.nodes);
    const path = Array.from({ length: wanted }, (_, index) => 3 + output.length + index);
    return chainDraft(path.filter((tokenId) => tokenId < 3 + source));
  });

const SIZE = 100;

describe('forwards', () => {
  it.each([
    [1, 20],
    [3, 20],
    [4, 24],
    [7, 30],
  ])('an oracle of depth %i brings depth + 1 tokens a forward (%i tokens)', async (depth, length) => {
    const target = scriptedTarget({ script: counting, size: SIZE, maxLength: 60 });
    const { statistics } = await collect(
      speculative({ drafter: oracle(depth) }).decode(target, { sources: [length], maxNewTokens: length }),
    );
    expect(statistics.forwards).toBe(Math.ceil(length / (depth + 1)));
    const { evaluated, accepted } = speculationOf(statistics);
    expect(accepted).toBe(length - statistics.forwards);
    expect(evaluated).toBe(accepted);
  });

  it('the end token costs its own place: length + 1 decisions', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE, maxLength: 60 });
    const { statistics, results } = await collect(
      speculative({ drafter: oracle(4) }).decode(target, { sources: [20] }),
    );
    expect(results[0]?.hypotheses[0]?.finishReason).toBe('end-token');
    expect(statistics.forwards).toBe(Math.ceil(21 / 5));
  });

  it('an empty draft is a plain step', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    const drafter = scriptedDrafter(() => EMPTY_DRAFT);
    const { statistics } = await collect(speculative({ drafter }).decode(target, { sources: [9] }));
    expect(statistics).toMatchObject({
      forwards: 10,
      tokens: 9,
      speculation: { proposed: 0, evaluated: 0, accepted: 0 },
    });
    expect(target.log.forwards.slice(1).every(({ tokenIds }) => tokenIds.length === 1)).toBe(true);
  });

  it('finished rows cost nothing, and all others share one forward', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    await collect(speculative({ drafter: oracle(2) }).decode(target, { sources: [2, 20, 8] }));
    expect(target.log.forwards.map(({ rows }) => [...new Set(rows)])).toEqual([
      [0, 1, 2],
      [1, 2],
      [1, 2],
      [1],
      [1],
      [1],
      [1],
    ]);
  });

  it('a row that is over before the first forward is finished before it, for target and drafter', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    const drafter = oracle(2);
    const before: (readonly number[])[] = [];
    const outputPrefixes = [Int32Array.of(1, 2), Int32Array.of(1), Int32Array.of(1, 2)];
    const request = { sources: [20, 8, 20], outputPrefixes, stopSequences: [Int32Array.of(2)] };
    for await (const { type } of speculative({ drafter }).decode(target, request)) {
      if (type === 'draft-end') before.push([...target.log.finished], [...drafter.log.finished]);
    }
    expect(before.slice(0, 2).map((rows) => rows.slice(0, 2))).toEqual([
      [0, 2],
      [0, 2],
    ]);
    expect(target.log.finished).toEqual([0, 2, 1]);
    expect(drafter.log.finished).toEqual([0, 2, 1]);
    expect(target.log.forwards.flatMap(({ rows }) => rows)).not.toContain(0);
  });

  it('the first forward holds the prefix and the draft, later ones the token decided last and the draft', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    await collect(speculative({ drafter: oracle(2) }).decode(target, { sources: [5] }));
    expect(target.log.forwards.map(({ tokenIds }) => tokenIds)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7],
    ]);
  });

  it('never scores end tokens of a draft', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    const drafter = scriptedDrafter(() => ({ tokenIds: Int32Array.of(0, 3), parents: Int32Array.of(-1, -1) }));
    const { statistics } = await collect(speculative({ drafter }).decode(target, { sources: [3], maxNewTokens: 2 }));
    expect(target.log.forwards.map(({ tokenIds }) => tokenIds)).toEqual([[1, 2, 3]]);
    expect(statistics.speculation).toMatchObject({ proposed: 2, evaluated: 1, accepted: 1 });
  });

  it.each([
    [{ stopSequences: [Int32Array.of(4, 5)] }, 3, 'stop-sequence'],
    [{ stopSequences: [Int32Array.of(3)] }, 1, 'stop-sequence'],
    [
      { stopStrings: { strings: ['6'], textOf: (tokenIds: ArrayLike<number>) => Array.from(tokenIds).join(' ') } },
      4,
      'stop-string',
    ],
  ] as const)(
    'counts as accepted only what became output before a stop inside the draft',
    async (stops, tokens, reason) => {
      const target = scriptedTarget({ script: counting, size: SIZE });
      const events: DecodeEvent[] = [];
      for await (const event of speculative({ drafter: oracle(6) }).decode(target, { sources: [20], ...stops })) {
        events.push(event);
      }
      expect(events).toMatchObject([
        { type: 'token-commit', tokenIds: { length: tokens } },
        { type: 'draft-end', proposed: 6, evaluated: 6, accepted: tokens },
        {
          type: 'decode-end',
          results: [{ hypotheses: [{ finishReason: reason }] }],
          statistics: { speculation: { accepted: tokens, evaluated: 6 } },
        },
      ]);
    },
  );

  it('asks for no more than the output may still grow', async () => {
    const drafter = scriptedDrafter((_source, output, limit) => chainDraft([3 + output.length].slice(0, limit.depth)));
    const target = scriptedTarget({ script: counting, size: SIZE, maxLength: 8 });
    const { results } = await collect(speculative({ drafter, maxNodes: 4 }).decode(target, { sources: [50] }));
    expect(results[0]?.hypotheses[0]?.tokenIds).toHaveLength(7);
    expect(drafter.log.limits).toEqual([
      { nodes: 4, depth: 4, minProbability: 0 },
      { nodes: 4, depth: 4, minProbability: 0 },
      { nodes: 4, depth: 2, minProbability: 0 },
    ]);
  });
});

describe('options', () => {
  it('refuses what is out of range', () => {
    const drafter = scriptedDrafter(() => EMPTY_DRAFT);
    for (const options of [{ maxNodes: 0 }, { maxNodes: 1.5 }, { maxDepth: 0 }, { shape: 'bush' as 'tree' }]) {
      expect(() => speculative({ drafter, ...options })).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  it('gives scores as greedy decoding does, and none unless asked', async () => {
    const target = scriptedTarget({ script: counting, size: SIZE });
    const request = { sources: [7] };
    const expected = await collect(greedy<number>({ scores: true }).decode(target, request));
    const scored = await collect(speculative({ drafter: oracle(3), scores: true }).decode(target, request));
    expect(scored.results[0]?.hypotheses[0]?.score).toBe(expected.results[0]?.hypotheses[0]?.score);
    const plain = await collect(speculative({ drafter: oracle(3) }).decode(target, request));
    expect(plain.results[0]?.hypotheses[0]).not.toHaveProperty('score');
  });

  it('gives the log-probability of every token as greedy decoding does, and none unless asked', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const target = randomScriptedModel({ seed, vocabularySize: 7, maxLength: 20 });
      const request = { sources: [Int32Array.of(2, 3, 0), Int32Array.of(5, 0)], maxNewTokens: 9 };
      const expected = await collect(greedy({ tokenLogProbs: true }).decode(target, request));
      const drafter = ngramDrafter({ vocabulary: target.vocabulary });
      const decoded = await collect(speculative({ drafter, tokenLogProbs: true }).decode(target, request));
      const logProbs = ({ results }: typeof decoded) => results.map(({ best }) => best.tokenLogProbs);
      expect(logProbs(decoded)).toEqual(logProbs(expected));
      const plain = await collect(speculative({ drafter }).decode(target, request));
      expect(plain.results[0]?.best.tokenLogProbs).toBeUndefined();
    }
  });
});
