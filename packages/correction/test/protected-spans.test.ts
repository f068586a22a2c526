import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLAIN_LETTERS, protectedSpans } from '../src/protected-spans.js';
import type { Span } from '../src/spans.js';
import { finished } from './finished.js';

/** Whether an edit of a part of a text is refused. */
function isProtected(text: string, { start, end }: Span, keep: readonly string[] = []): boolean {
  const shields = finished(protectedSpans(text, PLAIN_LETTERS, new Set(keep)));
  return shields.some((shield) => shield.alteredBy({ start, end }));
}

/** The characters of a text that may be altered; a dot for each other one. */
function alterable(text: string, keep?: readonly string[]): string {
  return Array.from({ length: text.length }, (_, start) =>
    isProtected(text, { start, end: start + 1 }, keep) ? '·' : text[start],
  ).join('');
}

describe('what is protected', () => {
  it.each([
    ['one space', 'a cat', 'a cat'],
    ['a tab', 'a\tcat', 'a·cat'],
    ['two spaces', 'a  cat', 'a··cat'],
    ['a space that does not break', 'a\u00A0cat', 'a·cat'],
    // The digit stands before two entities that are found first.
    ['a digit before entities', '5&lt;&gt;', '·········'],
    ['a digit between entities and a word', 'so 5&lt;&gt; it', 'so ········· it'],
    ['a Roman number', 'part IV ends', 'part ·· ends'],
    ['one in small letters before a bracket', 'iv) ends', '··) ends'],
    ['small letters without a bracket', 'mix it', 'mix it'],
    ['a letter of another alphabet', 'the naïve cat', 'the ····· cat'],
  ])('%s', (_, text, expected) => {
    expect(alterable(text)).toBe(expected);
  });

  it.each([100, 101, 3_000])('of %i letters: a word of plain letters is not, another one is', (length) => {
    const [plain, marked] = ['a'.repeat(length), `${'a'.repeat(length - 2)}_a`];
    expect(isProtected(`so ${plain} it`, { start: 3, end: 3 + length })).toBe(false);
    expect(isProtected(`so ${marked} it`, { start: 3, end: 3 + length })).toBe(true);
  });

  it('a word that is kept, in whatever casing it stands', () => {
    expect(alterable('The Xylo and XYLO, xylos.', ['xylo'])).toBe('The ···· and ····, xylos.');
  });

  it('an edit of a part is refused exactly where one of its characters is protected', () => {
    const parts = fc.constantFrom('cat', '5', '&lt;', ' ', '\t', 'a@b.c', 'x_y', '/usr', '<b>', '`a b`', 'naïve', '.');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), fc.nat(), fc.nat(), (said, first, second) => {
        const text = said.join('');
        const marks = alterable(text);
        const [start, end] = [first % (text.length + 1), second % (text.length + 1)].toSorted((a, b) => a - b);
        if (start === end) return;
        expect(isProtected(text, { start, end })).toBe(marks.slice(start, end) !== text.slice(start, end));
      }),
      { numRuns: 200 },
    );
  });
});
