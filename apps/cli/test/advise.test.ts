import { type DecodeRequest, ForetokenError, type TokenSource } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advise, paretoFront } from '../src/advise/advice.js';
import { svgChart, terminalChart } from '../src/advise/chart.js';
import { measureCandidates } from '../src/advise/measure-candidates.js';
import { type Summary, summarise } from '../src/advise/measurements.js';

const summary = (name: string, milliseconds: number, quality: number, more: Partial<Summary> = {}): Summary => ({
  name,
  milliseconds,
  p95: 2 * milliseconds,
  range: [0.99 * milliseconds, 1.01 * milliseconds],
  quality,
  ...more,
});

const USUAL = [
  summary('greedy', 10, 40),
  summary('beam', 30, 41),
  summary('speculative', 5, 40),
  summary('ctc', 1, 35),
  summary('slow', 50, 34),
];

describe('the Pareto front', () => {
  it('is what nothing else beats in time and quality', () => {
    expect(paretoFront(USUAL).map(({ name }) => name)).toEqual(['ctc', 'speculative', 'beam']);
  });

  it('is as the definition says, on any measurements', () => {
    const any = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 })), { minLength: 1 });
    fc.assert(
      fc.property(any, (pairs) => {
        const all = pairs.map(([ms, quality], index) => summary(String(index), ms, quality));
        const front = paretoFront(all);
        const beats = (a: Summary, b: Summary) =>
          a.milliseconds <= b.milliseconds &&
          a.quality >= b.quality &&
          (a.milliseconds < b.milliseconds || a.quality > b.quality);
        for (const one of front) expect(all.some((other) => beats(other, one))).toBe(false);
        const points = (list: readonly Summary[]) => new Set(list.map((s) => `${s.milliseconds} ${s.quality}`));
        expect(points(front)).toEqual(points(all.filter((one) => !all.some((other) => beats(other, one)))));
      }),
      { seed: 16 },
    );
  });
});

describe('the advice', () => {
  const ask = (summaries: readonly Summary[], more: object = {}) =>
    advise(summaries, { quality: 'bleu', sentences: 100, ...more });

  it('is the fastest that is as good as the best', () => {
    const advice = ask(USUAL);
    expect([advice.recommended.name, advice.confidence]).toEqual(['beam', 'usual']);
    // Half a point is less than such a sample can tell apart.
    const near = ask([...USUAL.slice(0, 1), summary('beam', 30, 40.4), ...USUAL.slice(2)]);
    expect(near.recommended.name).toBe('speculative');
    expect(near.reasons.join(' ')).toContain('The best quality is that of beam, 40.4 BLEU');
    expect(near.reasons.join(' ')).toContain('5.0 ms a sentence, greedy 10.0 ms');
  });

  it('of exact gives nothing away', () => {
    const exact = [summary('greedy', 10, 100), summary('speculative', 6, 100), summary('ctc', 1, 99.9)];
    expect(ask(exact, { quality: 'exact' }).recommended.name).toBe('speculative');
  });

  it('keeps a budget, of the slow sentences too', () => {
    expect(ask(USUAL, { latencyBudget: 60 }).recommended.name).toBe('beam');
    expect(ask(USUAL, { latencyBudget: 59 }).recommended.name).toBe('speculative');
    expect(ask(USUAL, { latencyBudget: 9 }).recommended.name).toBe('ctc');
    const none = ask(USUAL, { latencyBudget: 1 });
    expect([none.recommended.name, none.reasons]).toEqual(['ctc', [expect.stringContaining('Nothing keeps')]]);
  });

  it.each([
    ['few sentences', USUAL, { sentences: 29 }, '29 sentences are few'],
    ['a busy machine', [summary('greedy', 10, 40, { range: [9, 12] })], {}, 'The machine was busy: the slowest'],
    [
      'another that may be as fast',
      [summary('a', 10, 40, { range: [9.5, 10.5] }), summary('b', 10.2, 40)],
      {},
      'b may be',
    ],
  ])('is of low confidence after %s', (_, summaries, more, doubt) => {
    const advice = ask(summaries, more);
    expect(advice.confidence).toBe('low');
    expect(advice.doubts).toEqual([expect.stringContaining(doubt)]);
  });
});

describe('measuring', () => {
  it('lets contestants take turns under a clock, and leaves out what cannot decode', async () => {
    let clock = 0;
    const order: string[] = [];
    const contestant = (name: string, costs: number) => ({
      name,
      bound: {
        name: 'greedy' as const,
        async *decode({ sources }: DecodeRequest<TokenSource>) {
          if (name === 'unable') throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'It needs lengths.');
          clock += costs;
          order.push(name);
          const best = { tokenIds: sources[0] as Int32Array, finishReason: 'end-token' as const };
          const statistics = { forwards: 1, tokens: 1, totalMs: 0 };
          const results = [{ row: 0, best, hypotheses: [best] }];
          yield { type: 'decode-end' as const, atMs: 0, results, statistics };
        },
      },
    });
    const requests = Array.from({ length: 20 }, (_, index) => ({ sources: [Int32Array.of(index)] }));
    const run = (milliseconds: number) =>
      measureCandidates([contestant('a', 1), contestant('unable', 1), contestant('b', 10)], requests, {
        milliseconds,
        signal: new AbortController().signal,
        now: () => clock,
        textOf: (ids) => String(ids[0]),
        onProgress: () => {},
      });
    const all = await run(1e9);
    expect(all.sentences).toBe(20);
    expect(all.refused.map(({ name }) => name)).toEqual(['unable']);
    expect(all.measurements).toEqual([
      { name: 'a', milliseconds: Array(3).fill(Array(20).fill(1)), outputs: requests.map((_, index) => `${index}`) },
      { name: 'b', milliseconds: Array(3).fill(Array(20).fill(10)), outputs: requests.map((_, index) => `${index}`) },
    ]);
    // The trial of each; then each begins in turn.
    expect(order.slice(2, 8)).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
    // A sentence takes 33 ms; eight are taken unless the time is over twice, and one whatever it takes.
    expect((await run(300)).sentences).toBe(10);
    expect((await run(150)).sentences).toBe(8);
    expect((await run(100)).sentences).toBe(7);
    expect((await run(1)).sentences).toBe(1);
  });

  it('has a mean that is never above what 19 of 20 sentences take, where so few were measured, however unsteady the times', () => {
    // A spike at another sentence each time.
    const times = [
      [30, 1, 1],
      [1, 30, 1],
      [1, 1, 30],
    ];
    const [one] = summarise([{ name: 'x', milliseconds: times, outputs: ['a', 'b', 'c'] }], 'exact', ['a', 'b', 'c']);
    expect(one.milliseconds).toBeLessThanOrEqual(one.p95);
  });

  it('is summed up by sentence and repeat', () => {
    const times = [
      [1, 1, 10],
      [3, 3, 12],
      [2, 2, 11],
    ];
    const [one] = summarise([{ name: 'x', milliseconds: times, outputs: ['a', 'b', 'c'] }], 'exact', ['a', 'b', 'd']);
    expect(one).toEqual({ name: 'x', milliseconds: 5, p95: 11, range: [4, 6], quality: expect.closeTo(66.67, 1) });
  });
});

describe('charts', () => {
  it.each([20, 40, 100])('fit %d columns and mark the advice', (columns) => {
    const lines = terminalChart(USUAL, paretoFront(USUAL), USUAL[2], 'bleu', columns);
    const drawn = lines.filter((line) => line.includes('|')).join('');
    expect(drawn.split('#').length - 1).toBe(1);
    for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 20));
    expect(terminalChart([USUAL[0]], [USUAL[0]], USUAL[0], 'exact', columns).join('')).toContain('#');
  });

  it('are drawn with names that cannot break out', () => {
    const odd = [summary('<script>"&', 3, 50), ...USUAL];
    const svg = svgChart(odd, paretoFront(odd), odd[0], 'bleu');
    expect(svg).not.toContain('<script>');
    expect(svg.match(/<circle/g)).toHaveLength(odd.length);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
