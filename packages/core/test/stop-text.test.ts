import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StopText } from '../src/kit/stop-text.js';

/** The text before the stop whose last character comes first; of several that end there, the longest. */
function cutText(text: string, stops: readonly string[]): string {
  for (let end = 1; end <= text.length; end++) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (found.length > 0) return text.slice(0, end - Math.max(...found.map(({ length }) => length)));
  }
  return text;
}

const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength });

it('cuts the same text in whatever pieces it comes', () => {
  fc.assert(
    fc.property(
      fc.array(letters(0, 4), { maxLength: 12 }),
      fc.array(letters(1, 4), { maxLength: 3 }),
      (pieces, stops) => {
        const cut = new StopText(stops);
        const given = pieces.map((piece) => cut.push(piece)).join('') + cut.end();
        expect(given).toBe(cutText(pieces.join(''), stops));
      },
    ),
    { numRuns: 2000, seed: 7 },
  );
});

it('holds back no more than what may become a stop', () => {
  const cut = new StopText(['END']);
  expect(['xE', 'N', 'x', 'EN', 'D', 'y'].map((piece) => cut.push(piece))).toEqual(['x', '', 'ENx', '', '', '']);
  expect(cut.end()).toBe('');
});
