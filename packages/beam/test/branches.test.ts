import { beamSearch } from '@foretoken/beam';
import type { DecodeEvent, SearchBranch } from '@foretoken/core';
import { scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

/** Scores that depend on every token before them, and let outputs end at different lengths. */
const model = scriptedModel({
  vocabularySize: 6,
  score: (_source, output) =>
    Array.from(
      { length: 6 },
      (_, tokenId) => ((output.reduce((sum, id) => sum * 5 + id + 1, 7) + tokenId * 11) % 13) / 3,
    ),
});

async function eventsOf(branches: boolean | undefined, groups = 1): Promise<DecodeEvent[]> {
  const events: DecodeEvent[] = [];
  const decoder = beamSearch({ beamSize: 4, hypotheses: 4, groups, branches });
  const sources = [Int32Array.of(3), Int32Array.of(4, 5)];
  for await (const event of decoder.decode(model, { sources, maxNewTokens: 8 })) events.push(event);
  return events;
}

const withoutBranches = (events: readonly DecodeEvent[]) =>
  events.map((event) => ({ ...event, branches: undefined, atMs: 0, statistics: undefined }));

describe('branches of a beam search', () => {
  it.each([1, 2])('are told only where asked for, and change nothing else (%i groups)', async (groups) => {
    const plain = await eventsOf(undefined, groups);
    const told = await eventsOf(true, groups);
    expect(withoutBranches(told)).toEqual(withoutBranches(plain));
    expect(plain.every((event) => event.type !== 'canvas-revise' || event.branches === undefined)).toBe(true);
  });

  it('grow by one token a step from those before, and hold what is committed and the provisional output', async () => {
    const events = await eventsOf(true);
    for (const row of [0, 1]) {
      let before: readonly SearchBranch[] = [{ tokenIds: new Int32Array(), logProb: 0, finished: false }];
      let committed: number[] = [];
      let revisions = 0;
      for (const event of events) {
        if (!('row' in event) || event.row !== row) continue;
        if (event.type === 'token-commit') committed = [...committed, ...event.tokenIds];
        if (event.type !== 'canvas-revise') continue;
        const { branches = [] } = event;
        revisions++;
        const running = branches.filter(({ finished }) => !finished);
        expect(running.length).toBeGreaterThan(0);
        expect(running.length).toBeLessThanOrEqual(4);
        const parents = new Map(before.map((branch) => [String(branch.tokenIds), branch]));
        for (const { tokenIds, logProb } of running) {
          const parent = parents.get(String(tokenIds.slice(0, -1)));
          expect(parent?.finished).toBe(false);
          expect(logProb).toBeLessThanOrEqual(parent?.logProb ?? 0);
        }
        for (const { tokenIds } of branches) expect([...tokenIds.slice(0, committed.length)]).toEqual(committed);
        expect(branches.map(({ tokenIds }) => String(tokenIds))).toContain(String(event.tokenIds));
        before = branches;
      }
      expect(revisions).toBeGreaterThan(2);
    }
  });
});
