import { SteppingClock } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correctText, createCorrector } from '../src/index.js';
import { nameSpans } from '../src/name-spans.js';
import { piecesOf } from '../src/pieces.js';
import { proseLines } from '../src/prose-lines.js';
import { protectedSpans } from '../src/protected-spans.js';
import { RefusedWords } from '../src/refused-words.js';
import { isSpace, matchesIn, SpanIndex, STRETCH, spansOf } from '../src/spans.js';
import { finished } from './finished.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const UNITS = ['a', 'teh ', ' ', '\t', '`', '<a', "'", '- ', '>', '| ', '. ', 'a\n', '_', 'A a', '\u{1F600}', '1'];
const LENGTH = 200_000;

/** Steps until the end. */
function stepsOf(work: Generator<unknown, unknown, undefined>): number {
  let steps = 0;
  while (work.next().done !== true) steps++;
  return steps;
}

describe('a long text', () => {
  it.each(UNITS)('of %j is read in short steps, whatever is looked for', (unit) => {
    const text = unit.repeat(LENGTH / unit.length);
    const line = { start: 0, end: text.length };
    const counted = (piece: string): number => {
      expect(piece.length).toBeLessThanOrEqual(STRETCH + 1);
      return piece.length;
    };
    expect(stepsOf(proseLines(text))).toBeGreaterThanOrEqual(LENGTH / STRETCH - 1);
    expect(stepsOf(protectedSpans(text, 'abc'))).toBeGreaterThanOrEqual(LENGTH / STRETCH - 1);
    expect(stepsOf(nameSpans(text))).toBeGreaterThanOrEqual(LENGTH / STRETCH - 1);
    expect(stepsOf(piecesOf(text, line, counted, { max: 100, usual: 50 }))).toBeGreaterThanOrEqual(
      LENGTH / (8 * STRETCH),
    );
  });

  it('lets other work have its turn, and asks no model after an abort', async () => {
    for (const unit of UNITS) {
      const asked: string[] = [];
      const model = scriptedCorrector(simpleCorrection, { onText: (read) => asked.push(read) });
      const controller = new AbortController();
      using _clock = new SteppingClock(1_000);
      setImmediate(() => controller.abort('stopped'));
      const work = correctText(model, unit.repeat(LENGTH / unit.length), { signal: controller.signal, refuse: ['x'] });
      await expect(work).rejects.toBe('stopped');
      expect(asked).toEqual([]);
    }
  });

  it('is left between two pieces after an abort', async () => {
    const controller = new AbortController();
    let asked = 0;
    const model = scriptedCorrector((text) => {
      if (++asked === 3) setImmediate(() => controller.abort('stopped'));
      return text;
    });
    using _clock = new SteppingClock(1_000);
    const text = 'The cat sleeps.\n'.repeat(50);
    await expect(correctText(model, text, { signal: controller.signal, drafter: 'none' })).rejects.toBe('stopped');
    expect(asked).toBe(3);
  });
});

it('a long list of refused words is read in steps, and again after an abort', async () => {
  const refuse = Array.from({ length: 5_000 }, (_, index) => `darn number ${index}`);
  expect(stepsOf(RefusedWords.of(refuse))).toBeGreaterThan(10_000);
  const model = scriptedCorrector((text) => text.replace('dran', 'darn'));
  const corrector = createCorrector(model, { refuse: [...refuse, 'darn'] });
  const controller = new AbortController();
  {
    using _clock = new SteppingClock(1_000);
    setImmediate(() => controller.abort('stopped'));
    await expect(corrector.correct('A dran thing.', { signal: controller.signal })).rejects.toBe('stopped');
  }
  expect((await corrector.correct('A dran thing.')).text).toBe('A dran thing.');
});

describe('spans', () => {
  it('know what an edit alters', () => {
    const span = fc.tuple(fc.nat(30), fc.nat(6)).map(([start, length]) => ({ start, end: start + length }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 12 }), span, (spans, edit) => {
        const index = new SpanIndex();
        for (const one of spans.toSorted((a, b) => a.start - b.start)) index.add(one);
        expect(index.alteredBy(edit)).toBe(spans.some(({ start, end }) => edit.start < end && edit.end > start));
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  it('of white space are those of an expression', () => {
    const differ = Array.from({ length: 0x10000 }, (_, unit) => unit).filter(
      (unit) => isSpace(unit) !== /\s/.test(String.fromCharCode(unit)),
    );
    expect(differ).toEqual([]);
  });

  it('go over the borders of steps', () => {
    const before = 'a '.repeat(STRETCH / 2 - 3);
    const text = `${before}\`code here\` and  Some <tag of="x"> more, John`;
    const shields = finished(protectedSpans(text, 'abcdefghijklmnopqrstuvwxyz'));
    const altered = (word: string): boolean => {
      const start = text.indexOf(word);
      return shields.some((spans) => spans.alteredBy({ start, end: start + word.length }));
    };
    expect(['`code', 'here', 'and', 'tag', 'of=', 'more'].map(altered)).toEqual([true, true, false, true, true, false]);
    const names = finished(nameSpans(`${'a '.repeat(STRETCH / 2 - 1)}a John`));
    expect(names.alteredBy({ start: STRETCH, end: STRETCH + 2 })).toBe(true);
  });

  it('of a match that goes over a border are found once, wherever the border lies in it', () => {
    for (let before = STRETCH - 6; before <= STRETCH + 1; before++) {
      const text = `${'.'.repeat(before)}words${'.'.repeat(STRETCH)}more`;
      const found = [...matchesIn(text, /[a-z]+/g, 8)].filter((span) => span !== undefined);
      expect(found).toEqual(spansOf(text, /[a-z]+/g));
    }
  });
});
