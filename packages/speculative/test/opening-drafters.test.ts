import type { DraftingCosts, ForwardCosts } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DraftPolicy } from '../src/draft-policy.js';
import { DraftRecord } from '../src/draft-record.js';
import { DraftingTimes } from '../src/drafting-times.js';

/** A forward costs 1 and `perNode` for each node of each row. */
const linear = (perNode: number): ForwardCosts => ({ milliseconds: (rows, nodes) => 1 + perNode * rows * nodes });

describe('a drafter that was seen at work', () => {
  it('opens a drafter that was right before where one that nobody has seen is not worth its opening', () => {
    const costs = linear(0.05);
    const drafting = { open: 8, propose: 0 };
    const record = new DraftRecord();
    const opens = (): boolean => new DraftPolicy(costs, drafting, 32, record).opens(1);
    expect(opens()).toBe(false);
    const free = new DraftPolicy(costs, undefined, 32, record);
    expect(free.opens(1)).toBe(true);
    // Four right drafts of ten, and outputs of 44 tokens.
    for (let round = 0; round < 4; round++) free.learn(1, 10, 10, 10);
    expect(opens()).toBe(true);
    // Then others that are wrong from the first token on.
    for (let round = 0; round < 60; round++) free.learn(1, 10, 1, 0);
    expect(opens()).toBe(false);
  });

  it('knows how long outputs are, however many it saw', () => {
    const record = new DraftRecord();
    for (let output = 0; output < 300; output++) {
      record.began(1);
      record.saw(30, 20, 40);
    }
    expect(record.usualOutput).toBeCloseTo(40, 0);
    expect(record.acceptance).toBeCloseTo(2 / 3, 1);
  });

  it('opens a dear drafter again now and then, since what it took on a busy machine is not true for ever', () => {
    const record = new DraftRecord();
    const opened = (drafting: DraftingCosts | undefined, costs: ForwardCosts) =>
      Array.from({ length: 34 }, () => new DraftPolicy(costs, drafting, 10, record).opens(1)).flatMap(
        (opens, decode) => (opens ? [decode] : []),
      );
    expect(opened({ open: 100, propose: 0 }, linear(0.1))).toEqual([2, 7, 16, 33]);
    // Drafts that cannot pay are not asked for in vain.
    expect(opened(undefined, linear(100))).toEqual([]);
  });
});

describe('a drafter whose first openings were slow', () => {
  /** Which of so many decodes open the drafter, where opening takes these milliseconds and then the last of them. */
  const openings = (milliseconds: readonly number[], decodes: number): number[] => {
    const times = new DraftingTimes();
    const record = new DraftRecord();
    const opened: number[] = [];
    for (let decode = 0; decode < decodes; decode++) {
      const policy = new DraftPolicy(linear(0.05), times.costs, 10, record);
      const opens = policy.opens(1);
      for (let round = 0; round < 16; round++) policy.learn(1, 0, 0, 0);
      if (!opens) continue;
      times.opened(milliseconds[Math.min(opened.length, milliseconds.length - 1)], 1);
      times.proposed(0.01, 1);
      opened.push(decode);
    }
    return opened;
  };

  it('is tried again soon after the slow beginning, and opened from then on', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 10, max: 1e9, noNaN: true }), { minLength: 3, maxLength: 5 }), (slow) => {
        const decodes = 200;
        const opened = openings([...slow, 0.5], decodes);
        const last = opened[slow.length];
        expect(last).toBeLessThan(20);
        expect(opened.slice(slow.length)).toEqual(Array.from({ length: decodes - last }, (_, at) => last + at));
      }),
      { seed: 14, numRuns: 300 },
    );
  });

  it('is tried ever less often where it stays slow', () => {
    expect(openings([1000], 3000)).toEqual([0, 1, 2, 5, 10, 19, 36, 69, 134, 263, 520, 1033, 2058]);
  });

  it('is not closed by one odd time, however long or short', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 1e12, noNaN: true }), (at, odd) => {
        const times = Array.from({ length: 30 }, (_, index) => (index === at ? odd : 0.5));
        expect(openings(times, 30)).toHaveLength(30);
      }),
      { seed: 14, numRuns: 300 },
    );
  });
});

describe('a drafter that is closed', () => {
  /** Which of so many decodes open it, after these rounds of drafts, a decode each. */
  const openings = (record: DraftRecord, rows: number, decodes: number, costs = linear(0.05)): number[] =>
    Array.from({ length: decodes }, (_, decode) => decode).filter(() => {
      const policy = new DraftPolicy(costs, undefined, 10, record);
      const opens = policy.opens(rows);
      for (let round = 0; round < 12; round++) policy.learn(rows, 0, 0, 0);
      return opens;
    });
  /** Rounds of drafts that are wrong from the first token on, or right to the last. */
  const drafted = (record: DraftRecord, right: boolean): DraftRecord => {
    const policy = new DraftPolicy(linear(0.05), undefined, 10, record);
    for (let round = 0; round < (right ? 400 : 4000); round++) policy.learn(1, 10, right ? 10 : 1, right ? 10 : 0);
    return record;
  };

  it('since its drafts were wrong is tried again, and opened from then on where others are right', () => {
    const record = drafted(new DraftRecord(), false);
    expect(openings(record, 1, 100)).toEqual([2, 7, 16, 33, 66]);
    expect(openings(drafted(record, true), 1, 3)).toEqual([0, 1, 2]);
    expect(openings(drafted(record, false), 1, 10)).toEqual([2, 7]);
  });

  it('is not tried where no draft can pay, and outputs stay as long as they are', () => {
    const record = drafted(new DraftRecord(), false);
    expect(openings(record, 16, 100, linear(1))).toEqual([]);
    expect(record.usualOutput).toBeLessThan(13);
  });
});
