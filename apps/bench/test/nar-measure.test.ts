import { type DecodeEvent, ForetokenError } from '@foretoken/core';
import { rowResult } from '@foretoken/core/kit';
import { describe, expect, it, vi } from 'vitest';
import { type RaceOptions, race, requestsOf, rotated, type Way } from '../src/nar-measure.js';

const SOURCES = [1, 2, 3, 4, 5].map((id) => Int32Array.of(id));
const OPTIONS: RaceOptions = { requests: requestsOf(SOURCES.length, 1), repeats: 2, warmUp: 1 };

/** A way that answers each source with itself and writes down what it was asked. */
function echo(name: string, log: string[], before: (sources: string) => void = () => {}): Way {
  return {
    name,
    sources: SOURCES,
    decode: async function* ({ sources }): AsyncGenerator<DecodeEvent> {
      const asked = sources.map(([id]) => id).join();
      log.push(`${name} ${asked}`);
      before(asked);
      yield {
        type: 'decode-end',
        atMs: 0,
        results: sources.map((source, row) => rowResult(row, [{ tokenIds: source.slice(), finishReason: 'complete' }])),
        statistics: { forwards: 2, otherForwards: 1, tokens: sources.length, totalMs: 0 },
      };
    },
  };
}

describe('requestsOf', () => {
  it.each([
    [5, 1, [[0], [1], [2], [3], [4]]],
    [
      5,
      2,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      4,
      2,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [3, 32, [[0, 1, 2]]],
  ])('%i sentences in requests of %i', (sentences, size, requests) => {
    expect(requestsOf(sentences, size)).toEqual(requests);
  });
});

describe('rotated', () => {
  it('begins with another item each turn and keeps their order', () => {
    expect([0, 1, 2, 3].map((turn) => rotated(['a', 'b', 'c'], turn).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(rotated([], 3)).toEqual([]);
  });
});

describe('race', () => {
  it('decodes every request every way, in turn, after a warm-up', async () => {
    const log: string[] = [];
    const { decoded, failures } = await race([echo('a', log), echo('b', log)], { ...OPTIONS, requests: [[0, 1], [2]] });
    expect(failures).toEqual([]);
    expect(log).toEqual([
      ...['a 1,2', 'b 1,2'],
      ...['a 1,2', 'b 1,2', 'b 1,2', 'a 1,2'],
      ...['b 3', 'a 3', 'a 3', 'b 3'],
    ]);
    const [first, second] = decoded.get('b')!;
    expect(first).toMatchObject({ outputs: [Int32Array.of(1), Int32Array.of(2)], forwards: 2, otherForwards: 1 });
    expect(second).toMatchObject({ outputs: [Int32Array.of(3)] });
  });

  it('keeps the fastest of the repeats', async () => {
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    // The warm-up, which does not count, and two repeats of the one request.
    const waits = [1, 12, 5];
    const way = echo('a', [], () => {
      clock += waits.shift()!;
    });
    const { decoded } = await race([way], { ...OPTIONS, requests: [[0]] });
    now.mockRestore();
    expect(decoded.get('a')!.map(({ milliseconds }) => milliseconds)).toEqual([5]);
    expect(waits).toEqual([]);
  });

  it('goes on without a way that a typed error ends, and says why', async () => {
    const log: string[] = [];
    const failing = echo('bad', log, (asked) => {
      if (asked === '3') throw new ForetokenError('UNSATISFIABLE_CONSTRAINT', 'No output.');
    });
    const { decoded, failures } = await race([failing, echo('good', log)], OPTIONS);
    expect([...decoded.keys()]).toEqual(['good']);
    expect(decoded.get('good')).toHaveLength(SOURCES.length);
    expect(failures).toEqual([{ strategy: 'bad', code: 'UNSATISFIABLE_CONSTRAINT', message: 'No output.' }]);
    expect(log.filter((line) => line.startsWith('bad')).at(-1)).toBe('bad 3');
  });

  it('ends with an error that nobody foresaw', async () => {
    const broken = echo('a', [], () => {
      throw new TypeError('oops');
    });
    await expect(race([broken], OPTIONS)).rejects.toThrow('oops');
  });
});
