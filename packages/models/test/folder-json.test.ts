import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../src/folder/json.js';
import { refusal } from './folder-fixtures.js';

describe('the place of a mistake in JSON', () => {
  test.each([
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

describe('JSON that is nested too deep', () => {
  const list = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const object = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  test('is read up to 200 levels, and refused beyond by the place of the first bracket too many', async () => {
    expect(parseJson(list(200), 'x.json')).toEqual(JSON.parse(list(200)));
    expect(parseJson(object(200), 'x.json')).toEqual(JSON.parse(object(200)));
    // Brackets in texts do not count, and what was closed does not either.
    const texts = JSON.stringify([`${'['.repeat(500)}\\`, '"[[["\\\\', '{'.repeat(500)]);
    expect(parseJson(texts, 'x.json')).toEqual(JSON.parse(texts));
    const wide = `[${Array.from({ length: 1000 }, () => '[{}]').join(',')}]`;
    expect(parseJson(wide, 'x.json')).toEqual(JSON.parse(wide));
    for (const [text, line, column] of [
      [list(201), 1, 201],
      [`[\n${list(200)}]`, 2, 200],
      [`{"a\\"[[": ${object(200)}}`, 1, 1006],
      [list(5_000_000), 1, 201],
    ] as const) {
      const error = await refusal(() => parseJson(text, 'x.json'));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { received: { line, column } } });
      expect(error.message).toContain('200 deep');
    }
  });

  test.each([
    ['['.repeat(5_000_000), 1, 5_000_001],
    [`${list(300)}]`, 1, 601],
    [`${'\n'.repeat(3_000_000)}[,`, 3_000_001, 2],
    [`${'[{"a":'.repeat(300)}]`, 1, 1801],
  ])('and is not JSON either is refused by its first mistake', async (text, line, column) => {
    const error = await refusal(() => parseJson(text, 'x.json'));
    expect(error.message).toContain('not valid JSON');
    expect(error.details.received).toEqual({ line, column });
  });

  test('is told apart in the same way by any text', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(300), (json, around) => {
        const text = `${'['.repeat(around)}${json}${']'.repeat(around)}`;
        const depthOf = (value: unknown): number =>
          typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
        const deep = around + depthOf(JSON.parse(json)) > 200;
        const parse = () => parseJson(text, 'x.json');
        if (deep) expect(parse).toThrow('200 deep');
        else expect(parse()).toEqual(JSON.parse(text));
      }),
      { numRuns: 500, seed: 26 },
    );
  });
});
