import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, correctText, createCorrector } from '../src/index.js';
import { anyText, wildCorrection } from './any-text.js';
import { expectConsistent } from './consistent.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const outputOf = async (text: string, options?: CorrectorOptions): Promise<string> =>
  (await correctText(simple, text, options)).text;

describe('properties', () => {
  const seeds = fc.integer({ min: 1, max: 0xffffffff });

  it('what a model copies is copied, whatever it is', async () => {
    const corrector = createCorrector(scriptedCorrector((text) => text));
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const { text: output, edits } = await corrector.correct(text);
        expect(output).toBe(text);
        expect(edits).toEqual([]);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('spans reproduce the output, lines stay lines, and a draft changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyText,
        seeds,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (text, seed, minConfidence) => {
          const model = scriptedCorrector(wildCorrection(seed), { sureness: (output) => 4 + (output.length % 9) });
          const correction = await correctText(model, text, { minConfidence });
          expectConsistent(text, correction);
          const ends = (whole: string): string[] => whole.match(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/g) ?? [];
          // A line break that the model puts in is a change of its own; those of the text all stay, in their order.
          const kept = correction.edits.map(({ before }) => ends(before));
          expect(kept.flat()).toEqual([]);
          const lead = (whole: string): string => /^\s*/.exec(whole)?.[0] ?? '';
          expect(lead(correction.text)).toBe(lead(text));
          for (const { probability } of correction.edits) expect(probability).toBeGreaterThanOrEqual(minConfidence);
          const plain = await correctText(model, text, { minConfidence, drafter: 'none' });
          expect(plain.text).toBe(correction.text);
          expect(plain.edits.map(({ start, after }) => [start, after])).toEqual(
            correction.edits.map(({ start, after }) => [start, after]),
          );
        },
      ),
      { seed: 12, numRuns: 150 },
    );
  });

  it('texts of any layout are corrected whole as they are line by line, and word by word', async () => {
    const right: Record<string, string> = { teh: 'the', recieve: 'receive', wich: 'which' };
    const spelled = (text: string): string => text.replace(/teh|recieve|wich/g, (word) => right[word]);
    const word = fc.constantFrom('teh', 'recieve', 'wich', 'a', 'cat', 'we', 'often', 'mats', 'under');
    // What ends a sentence, and what looks as if it did.
    const mark = fc.constantFrom(
      '',
      '',
      '',
      '',
      ',',
      '.',
      '!',
      '?”',
      ' e.g.',
      ' Dr.',
      ' J.',
      ' vs.',
      ';',
      ' – “',
      ' (',
      ')',
      '…',
    );
    const gap = fc.constantFrom(' ', ' ', ' ', '  ', '\t');
    const line = fc.array(fc.tuple(word, mark, gap), { minLength: 1, maxLength: 90 }).map((words) =>
      words
        .map((parts) => parts.join(''))
        .join('')
        .trimEnd(),
    );
    const opening = fc.constantFrom('', '', '- ', '1. ', '  ', '> ', '# ', '* [ ] ');
    const ending = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n', '\n \n');
    const layout = fc.array(fc.tuple(opening, line, ending), { minLength: 1, maxLength: 5 });
    // Sure of all, so that no rule on doubtful text has a say.
    const model = scriptedCorrector(spelled, { sureness: () => 20 });
    const corrector = createCorrector(model, { refuse: [] });
    await fc.assert(
      fc.asyncProperty(layout, async (lines) => {
        const text = lines.flat().join('');
        const correction = await corrector.correct(text);
        expectConsistent(text, correction);
        expect(correction.leftAlone).toEqual([]);
        expect(correction.text).toBe(spelled(text));
        const parts: string[] = [];
        for (const parted of lines) parts.push((await corrector.correct(parted.join(''))).text);
        expect(parts.join('')).toBe(correction.text);
      }),
      { seed: 15, numRuns: 25 },
    );
  });

  it('at confidence 1 the output is the input', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, seeds, async (text, seed) => {
        const model = scriptedCorrector(wildCorrection(seed), { sureness: () => 1000 });
        const { text: output, edits } = await correctText(model, text, { minConfidence: 1 });
        expect([output, edits]).toEqual([text, []]);
      }),
      { seed: 13, numRuns: 150 },
    );
  });

  it.each([
    ['<p>teh cat sat on teh mat</p>', '<p>The cat sat on the mat.</p>'],
    ['  <li class="teh">teh cat</li>', '  <li class="teh">The cat.</li>'],
    ['const teh = wrold(cat);', 'const teh = wrold(cat);'],
    ['int main(void) { teh(); return 0; }', 'int main(void) { teh(); return 0; }'],
    ['select nmae from teh where id = 3;', 'select nmae from teh where id = 3;'],
    ['if (teh > 3) {', 'if (teh > 3) {'],
    ['dear {teh}', 'Dear {teh}'],
    ['about 3>2 and teh a>b', 'About 3>2 and the a>b.'],
  ])('of markup and code, %j becomes %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected);
  });

  it('a text twice is corrected as each half is', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const once = await outputOf(text);
        if (/[`~]/.test(text)) return;
        expect(await outputOf(`${text}\n${text}`)).toBe(`${once}\n${once}`);
      }),
      { seed: 14, numRuns: 150 },
    );
  });
});
