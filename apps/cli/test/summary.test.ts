import type { DecodeEvent } from '@foretoken/core';
import { rowResult } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';
import { laneOf, renderLane, tokensAt } from '../src/race/lanes.js';
import { measure, median, type Run } from '../src/race/measure.js';
import { raceTable } from '../src/race/report.js';
import { type RaceRow, summarise, unrestOf } from '../src/race/summary.js';
import type { Strategy } from '../src/strategies.js';
import type { StrategyName } from '../src/strategy-names.js';
import { safeText, styleFor } from '../src/terminal/style.js';
import { table } from '../src/terminal/table.js';
import { fakeModel } from './support.js';

interface Numbers {
  readonly ms: number;
  readonly ids: number[];
  readonly forwards: number;
  readonly draft?: [forwards: number, proposed: number, accepted: number];
  readonly text?: string;
}

function runOf(
  strategy: StrategyName,
  { ms, ids, forwards, draft = [0, 0, 0], text = '' }: Numbers,
): RaceRow['runs'][0] {
  const [draftForwards, proposed, accepted] = draft;
  const speculation = { draftForwards, proposed, evaluated: proposed, accepted };
  const statistics = { forwards, tokens: ids.length, totalMs: ms, speculation };
  return { strategy, tokenIds: Int32Array.from(ids), statistics, milliseconds: ms, repeats: [ms], events: [], text };
}

const ROWS: RaceRow[] = [
  {
    source: 's1',
    reference: 'the cat sat on the mat',
    unknownTokens: 0,
    runs: [
      runOf('greedy', { ms: 10, ids: [4, 5, 6], forwards: 4, text: 'the cat sat on the mat' }),
      runOf('speculative', { ms: 4, ids: [4, 5, 6], forwards: 2, draft: [1, 5, 2], text: 'the cat sat on the mat' }),
    ],
  },
  {
    source: 's2',
    reference: 'a dog ran over the wide lawn',
    unknownTokens: 1,
    runs: [
      runOf('greedy', { ms: 30, ids: [4, 5, 6, 7, 8], forwards: 6, text: 'a dog ran over the wide lawn' }),
      runOf('speculative', { ms: 30, ids: [4, 5, 6, 7, 9], forwards: 2, draft: [1, 3, 2], text: 'x' }),
    ],
  },
  {
    source: 's3',
    reference: 'nobody is in the house today',
    unknownTokens: 0,
    runs: [
      runOf('greedy', { ms: 20, ids: [4], forwards: 2, text: 'nobody is in the house today' }),
      runOf('speculative', { ms: 10, ids: [4], forwards: 1, draft: [1, 0, 0], text: 'y' }),
    ],
  },
];

describe('summarise', () => {
  it('works out every number', () => {
    const [greedy, speculative] = summarise(ROWS);
    expect(greedy).toMatchObject({
      millisecondsPerSentence: 20,
      forwardsPerSentence: 4,
      otherForwardsPerSentence: 0,
      tokensPerForward: 9 / 12,
      speedup: 1,
    });
    expect(greedy.bleu).toBeCloseTo(100, 9);
    expect(greedy.chrf).toBeCloseTo(100, 9);
    expect(greedy.identical).toBeUndefined();
    expect(greedy.acceptance).toBeUndefined();
    expect(speculative).toMatchObject({
      millisecondsPerSentence: 44 / 3,
      forwardsPerSentence: 5 / 3,
      otherForwardsPerSentence: 1,
      tokensPerForward: 9 / 5,
      acceptance: 4 / 8,
      // The ratios are 2.5, 1 and 2.
      speedup: 2,
      identical: { count: 2, of: 3 },
    });
    expect(speculative.bleu).toBeLessThan(60);
  });

  it('has no score when a reference is missing', () => {
    const { reference: _, ...bare } = ROWS[0];
    expect(summarise([bare, ROWS[1]])[0]).not.toHaveProperty('bleu');
  });

  it('is what the table shows', () => {
    const conditions = { runtime: 'r 1', threads: 2, precision: 'fp32', variant: 'exact', repeats: 1 } as const;
    const lines = raceTable(summarise(ROWS), conditions);
    expect(lines[2].split(/ {2,}/).toSpliced(5, 1)).toEqual([
      'speculative',
      '14.67',
      '1.7 + 1.0',
      '1.80',
      '2.00x',
      '2 of 3',
    ]);
    expect(lines.join('\n')).toContain('fp32, 2 threads, r 1');
    expect(lines.join('\n')).toContain('mean over sentences of one run');
  });
});

describe('unrest', () => {
  const rows = (...greedy: number[]): RaceRow[] =>
    ROWS.slice(0, 2).map((row) => ({
      ...row,
      runs: row.runs.map((run, index) => ({ ...run, repeats: index === 0 ? greedy : greedy.map(() => 5) })),
    }));

  it('is the slowest repeat of all together over the fastest', () => {
    expect(unrestOf(rows(10, 5, 25))).toBe(3);
    expect(unrestOf(rows(5, 5))).toBe(1);
    expect(unrestOf(ROWS)).toBeUndefined();
  });

  it.each([
    [1.31, true],
    [1.3, false],
    [undefined, false],
  ])('of %s is told: %s', (unrest, told) => {
    const conditions = { runtime: 'r 1', threads: 1, precision: 'fp32', variant: 'exact', repeats: 3, unrest } as const;
    expect(raceTable(summarise(ROWS), conditions).join('\n').includes('these figures are rough')).toBe(told);
  });
});

it('median is the middle or the mean of the middle two', () => {
  expect([median([3]), median([9, 1, 5]), median([4, 1, 2, 100])]).toEqual([3, 5, 3]);
});

it('measure lets strategies take turns and begins with another one each time', async () => {
  const order: string[] = [];
  const strategy = (name: StrategyName): Strategy => ({
    name,
    async *decode() {
      order.push(name);
      const statistics = runOf(name, { ms: 0, ids: [], forwards: 1 }).statistics;
      const results = [rowResult(0, [{ tokenIds: new Int32Array(0), finishReason: 'end-token' }])];
      yield { type: 'decode-end', results, statistics, atMs: 0 } as DecodeEvent;
    },
  });
  const strategies = [strategy('greedy'), strategy('ctc'), strategy('speculative')];
  const runs = await measure(strategies, Int32Array.of(2), 3, new AbortController().signal);
  expect(runs.map((run) => run.strategy)).toEqual(['greedy', 'ctc', 'speculative']);
  const [a, b, c] = ['greedy', 'ctc', 'speculative'];
  expect(order).toEqual([a, b, c, b, c, a, c, a, b]);
});

describe('lanes', () => {
  const commit = (atMs: number, position: number, ...tokenIds: number[]): DecodeEvent => ({
    type: 'token-commit',
    row: 0,
    position,
    tokenIds: Int32Array.from(tokenIds),
    atMs,
  });
  const round = (atMs: number, number: number, accepted: number): DecodeEvent => ({
    type: 'draft-end',
    row: 0,
    round: number,
    depth: 3,
    proposed: 3,
    evaluated: 3,
    accepted,
    draft: { tokenIds: new Int32Array(3), parents: Int32Array.of(-1, 0, 1) },
    atMs,
  });
  const run: Run = {
    ...runOf('speculative', { ms: 9, ids: [4, 5, 6, 7, 4, 8], forwards: 4 }),
    events: [
      commit(1, 0, 4, 5, 6),
      round(1, 0, 2),
      commit(3, 3, 7),
      round(3, 1, 0),
      // The end token was in the draft too: three accepted, two committed.
      commit(6, 4, 4, 8),
      round(6, 2, 3),
    ],
  };
  const lane = laneOf(run, fakeModel().tokenizer);

  it('mark what each round accepted, not the target own tokens', () => {
    expect(lane.segments.map(({ text }) => text).join('')).toBe('ein Hund läuft auf ein Gras');
    expect(lane.segments.map(({ accepted }) => accepted)).toEqual([true, true, false, false, true, true]);
  });

  it('grow as tokens were committed', () => {
    expect([0, 1, 2.9, 3, 6, 9].map((atMs) => tokensAt(lane, atMs))).toEqual([0, 3, 3, 4, 6, 6]);
    const style = styleFor(Object.assign(process.stderr, {}), { TERM: 'dumb' }, { noColor: true });
    expect(renderLane(lane, 3, 11, style)).toBe('  speculative  [ein Hund] läuft');
    expect(renderLane(lane, 6, 11, style)).toBe('  speculative  [ein Hund] läuft auf [ein Gras]');
  });
});

it('table aligns names to the left and numbers to the right', () => {
  expect(
    table([
      ['name', 'n'],
      ['a', '10'],
      ['long name', '9'],
    ]),
  ).toEqual(['name        n', 'a          10', 'long name   9']);
});

it('safeText leaves no character that a terminal obeys', () => {
  expect(safeText('a\x1b]0;x\x07b\u009bc\u202ed\r\n')).toBe('a\ufffd]0;x\ufffdb\ufffdc\ufffdd\ufffd\ufffd');
  expect(safeText('Mädchen 狗 🎉 مرحبا')).toBe('Mädchen 狗 🎉 مرحبا');
});
