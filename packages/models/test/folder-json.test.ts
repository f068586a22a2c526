import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../src/folder/json.js';
import { refusal } from './folder-fixtures.js';

describe('the place of a mistake in JSON', () => {
  test.each([
    ['', 1, 1],
    ['{"a":}', 1, 6],
    ['{a:1}', 1, 2],
    ['[1,]', 1, 4],
    ['[1 2]', 1, 4],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ['{"a":1}x', 1, 8],
    ['{"a":\n  tru}', 2, 3],
    ['"abc', 1, 5],
    ['["\\x"]', 1, 3],
    ['["\\u12g4"]', 1, 3],
    ['["a\nb"]', 1, 4],
    ['[01]', 1, 3],
    ['[1.]', 1, 3],
    ['[NaN]', 1, 2],
    ['{"a":[{}}', 1, 9],
    ['\n\n[\n', 4, 1],
  ])('%j: line %i, column %i', async (text, line, column) => {
    const error = await refusal(() => parseJson(text, 'x.json', { folder: 'here' }));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { folder: 'here', file: 'x.json', received: { line, column } },
    });
  });

  test('agrees with JSON.parse wherever that says a position, and never lies beyond what is valid', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', ':', 'x', '\\', '\n'),
        (json, at, put) => {
          const cut = at % (json.length + 1);
          const text = json.slice(0, cut) + put + json.slice(cut + 1);
          let native: string;
          try {
            JSON.parse(text);
            return;
          } catch (error) {
            native = (error as Error).message;
          }
          let received: { line: number; column: number } | undefined;
          try {
            parseJson(text, 'x.json');
          } catch (error) {
            received = (error as { details: { received: typeof received } }).details.received;
          }
          expect(received).toBeDefined();
          const place = received as { line: number; column: number };
          const lines = text.split('\n');
          const index = lines.slice(0, place.line - 1).join('\n').length + (place.line > 1 ? 1 : 0) + place.column - 1;
          const position = /at position (\d+)/.exec(native)?.[1];
          // Inside a bad escape, number or word JSON.parse points some characters further in.
          if (position !== undefined) {
            compared++;
            expect(text.slice(index, Number(position))).toMatch(/^(?:\\u?|-)?[\w.+-]*$/);
            expect(index).toBeLessThanOrEqual(Number(position));
          } else if (/Unexpected end/.test(native)) expect(index).toBeGreaterThan(text.trimEnd().length - 6);
        },
      ),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
