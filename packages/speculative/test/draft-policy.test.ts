import { collect, type ForwardCosts } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DraftPolicy } from '../src/draft-policy.js';
import { DraftingTimes } from '../src/drafting-times.js';
import { chainDraft, speculative } from '../src/index.js';
import { type Script, scriptedDrafter, scriptedTarget } from './scripted-target.js';

const sure = (tokenIds: readonly number[], probability: number) => ({
  ...chainDraft(tokenIds),
  probabilities: new Float32Array(tokenIds.length).fill(probability),
});

/** A forward costs 1 and `perNode` for each node of each row. */
const linear = (perNode: number): ForwardCosts => ({ milliseconds: (rows, nodes) => 1 + perNode * rows * nodes });

describe('DraftPolicy', () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, Promise.resolve(1)])(
    'refuses costs of %s milliseconds by code, wherever they decide something',
    (milliseconds) => {
      const refused = expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('model.costs.milliseconds'),
      });
      const policy = new DraftPolicy({ milliseconds: () => milliseconds } as never, undefined, 4);
      expect(() => policy.opens(2)).toThrowError(refused);
      expect(() => policy.minProbability(2)).toThrowError(refused);
      expect(() => policy.cap([chainDraft([1, 2])], 2)).toThrowError(refused);
      // One width alone.
      const odd = { milliseconds: (_: number, nodes: number) => (nodes === 3 ? milliseconds : nodes) };
      expect(() => new DraftPolicy(odd as never, undefined, 4).cap([chainDraft([1, 2])], 1)).toThrowError(refused);
    },
  );

  it.each([null, 1, {}, { milliseconds: 1 }])('refuses the costs %j by code', (costs) => {
    const refused = expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('model.costs'),
    });
    expect(() => new DraftPolicy(costs as never, undefined, 4)).toThrowError(refused);
  });

  it('takes the width with most tokens for the time', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    const drafts = fc.array(fc.array(probability, { maxLength: 6 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(drafts, fc.double({ min: 0.001, max: 2, noNaN: true }), (rows, perNode) => {
        const costs = linear(perNode);
        const offered = rows.map((probabilities) => ({
          ...chainDraft(probabilities.map((_, index) => index)),
          probabilities: Float32Array.from(probabilities),
        }));
        const rate = (nodes: number): number => {
          const gained = offered.map(({ probabilities }) =>
            probabilities
              .slice(0, nodes)
              .reduce(({ path, sum }, one) => ({ path: path * one, sum: sum + path * one }), { path: 1, sum: 1 }),
          );
          return gained.reduce((total, { sum }) => total + sum, 0) / costs.milliseconds(rows.length, 1 + nodes);
        };
        const cap = new DraftPolicy(costs, undefined, 6).cap(offered, rows.length);
        const best = Math.max(...Array.from({ length: 7 }, (_, nodes) => rate(nodes)));
        expect(rate(cap)).toBeCloseTo(best, 9);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('verifies whole drafts where nothing was measured', () => {
    const policy = new DraftPolicy(undefined, { open: 1e9, propose: 1e9 }, 7);
    expect(policy.opens(1000)).toBe(true);
    expect(policy.minProbability(1000)).toBe(0);
    expect(policy.cap([sure([1, 2, 3], 0)], 1000)).toBe(7);
  });

  it('asks for no node that adds less than half of what it takes', () => {
    // A plain forward of two rows takes 1.2, a node more 0.2: a sixth, for two tokens that a forward brings at first.
    const policy = new DraftPolicy(linear(0.1), undefined, 10);
    expect(policy.minProbability(2)).toBeCloseTo((0.5 * 2 * 0.2) / 1.2, 12);
    // The more a forward brings, the dearer is what it takes longer.
    for (let round = 0; round < 40; round++) policy.learn(2, 0, 10, 10);
    expect(policy.minProbability(2)).toBeCloseTo((0.5 * 6 * 0.2) / 1.2, 3);
    // But not by what the wide forward itself takes longer: with five nodes a row 2.2.
    for (let round = 0; round < 40; round++) policy.learn(2, 5, 10, 10);
    expect(policy.minProbability(2)).toBeCloseTo((0.5 * 6 * 0.2) / 2.2, 3);
    expect(new DraftPolicy(linear(100), undefined, 10).minProbability(2)).toBeLessThanOrEqual(1);
  });

  it('does not open a drafter for a batch in which drafts cannot pay', () => {
    const costs = linear(0.1);
    expect(new DraftPolicy(costs, undefined, 10).opens(1)).toBe(true);
    expect(new DraftPolicy(costs, undefined, 10).opens(64)).toBe(false);
    // Nor where opening costs more than is gained.
    expect(new DraftPolicy(costs, { open: 100, propose: 0 }, 10).opens(1)).toBe(false);
    expect(new DraftPolicy(costs, { open: 0, propose: 100 }, 10).opens(1)).toBe(false);
  });

  it('asks less and less often for drafts that do not pay, and each round again for those that do', () => {
    const policy = new DraftPolicy(linear(0.5), undefined, 10);
    const asked: number[] = [];
    for (let round = 0; round < 30; round++) {
      if (!policy.asks()) continue;
      asked.push(round);
      policy.cap([sure([1, 2], round < 15 ? 0.01 : 0.99)], 1);
    }
    expect(asked).toEqual([0, 1, 3, 7, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    // One that does not pay after many that do is asked for again at once.
    policy.cap([sure([1, 2], 0.01)], 1);
    expect([policy.asks(), policy.asks()]).toEqual([true, true]);
  });
});

describe('what was learnt of drafts', () => {
  it('counts how many were accepted, where a draft does not say how sure it is', () => {
    const unsure = chainDraft([1, 2, 3]);
    const after = (tried: number, accepted: number): number => {
      const policy = new DraftPolicy(linear(0.2), undefined, 3);
      for (let round = 0; round < 30; round++) policy.learn(1, 3, tried, accepted);
      return policy.cap([unsure], 1);
    };
    expect(after(3, 3)).toBe(3);
    expect(after(1, 0)).toBe(0);
    expect(after(0, 0)).toBeGreaterThan(0);
  });

  it('is the least time a row that drafting took, once a drafter was opened several times', () => {
    const times = new DraftingTimes();
    for (const [milliseconds, rows] of [
      [12, 4],
      [10, 5],
      [40, 8],
    ] as const) {
      expect(times.costs).toBeUndefined();
      times.opened(milliseconds, rows);
      times.proposed(milliseconds, 2 * rows);
    }
    expect(times.costs).toEqual({ open: 2, propose: 1 });
  });
});

describe('speculative decoding with measured costs', () => {
  const counting: Script = (source, output) => (output.length < source ? 3 + output.length : 0);
  const right = () =>
    scriptedDrafter((_source, output, limit) =>
      sure([3, 4, 5, 6].map((id) => id + output.length).slice(0, limit.depth), 0.9),
    );

  it('has plain forwards alone in a batch that is too large, with the same output', async () => {
    const sources = Array.from({ length: 16 }, (_, row) => 3 + (row % 4));
    const decode = async (costs: ForwardCosts | undefined) => {
      const drafter = right();
      const target = { ...scriptedTarget({ script: counting, size: 60 }), costs };
      const end = await collect(speculative({ drafter }).decode(target, { sources }));
      return { end, drafter };
    };
    const dear = await decode(linear(1));
    const free = await decode(undefined);
    expect(dear.drafter.log.opened).toBe(0);
    expect(dear.end.statistics).toMatchObject({ forwards: 7, speculation: { draftForwards: 0, proposed: 0 } });
    expect(free.end.statistics.forwards).toBeLessThan(4);
    expect(dear.end.results).toEqual(free.end.results);
  });

  it('counts a draft token as refused once, not those below it too, in all decodes', async () => {
    // Four in five are right; the fifth is not, and four more hang below it.
    const drafter = () =>
      scriptedDrafter((_source, output, limit) => {
        const right = (id: number): number => id + output.length;
        return chainDraft([3, 4, 5, 6, 57, 8, 9, 10, 11].map((id) => (id < 50 ? right(id) : id)).slice(0, limit.depth));
      });
    const target = { ...scriptedTarget({ script: counting, size: 60, maxLength: 60 }), costs: linear(0.05) };
    const decoder = speculative({ drafter: drafter() });
    const decode = async () => {
      const widths: number[] = [];
      for await (const event of decoder.decode(target, { sources: [40] })) {
        if (event.type === 'draft-end') widths.push(event.evaluated);
        if (event.type === 'decode-end') return { ...event, widths };
      }
      throw new Error('unfinished');
    };
    const first = await decode();
    const later = await decode();
    expect(later.results).toEqual(first.results);
    expect(later.statistics.forwards).toBeLessThanOrEqual(first.statistics.forwards);
    // What brings most tokens for the time, where four in five are right.
    const rate = (nodes: number): number => (1 - 0.8 ** (nodes + 1)) / target.costs.milliseconds(1, 1 + nodes);
    const best = Array.from({ length: 9 }, (_, index) => index + 1).reduce((a, b) => (rate(b) > rate(a) ? b : a));
    expect([first.widths.at(-1), later.widths.at(-1)]).toEqual([best, best]);
  });

  it('is one cap of width for all rows', async () => {
    const drafter = scriptedDrafter((source, output, limit) => {
      const tokenIds = [3, 4, 5, 6].map((id) => id + output.length).slice(0, limit.depth);
      return source === 9 ? sure(tokenIds.slice(0, 1), 0.9) : sure(tokenIds, 0.01);
    });
    const target = { ...scriptedTarget({ script: counting, size: 60 }), costs: linear(0.05) };
    await collect(speculative({ drafter }).decode(target, { sources: [9, 8], maxNewTokens: 6 }));
    const [first] = target.log.forwards;
    // Two start tokens and one node a row: the unsure row's other three would widen the forward for nothing.
    expect(first?.rows.filter((row) => row === 1)).toHaveLength(3);
  });
});

describe('DraftPolicy', () => {
  it('decides the same under any limit that drafts do not reach', () => {
    const costs = linear(0.001);
    const widths = [64, 1000, Number.MAX_SAFE_INTEGER].map((max) => {
      const policy = new DraftPolicy(costs, undefined, max);
      return [policy.opens(1), policy.cap([chainDraft([1, 2, 3, 4, 5, 6])], 1)];
    });
    expect(widths).toEqual([
      [true, 6],
      [true, 6],
      [true, 6],
    ]);
  });
});
