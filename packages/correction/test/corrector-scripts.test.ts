import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, createCorrector } from '../src/index.js';
import { wildCorrection } from './any-text.js';
import { scriptedCorrector } from './scripted-corrector.js';

const FOREIGN = [
  '今日は天気がいい。',
  '猫',
  'Кошка',
  'спит',
  'Η γάτα',
  'القطة',
  'บ้าน',
  'हिन्दी',
  '\u{10400}\u{10428}',
  '№',
];
const ENGLISH = ['teh', 'cat', 'A', 'naïve', "don't", 'so-called'];
const GAPS = [' ', ' ', ' ', '. ', ', ', '\n', '\n\n', '\n- ', '! ', '\t', ' 3 ', ' \u{1F600} ', '、', '\n> '];

function textOf(words: readonly string[]): fc.Arbitrary<string> {
  const parts = fc.array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...GAPS)), { maxLength: 120 });
  return parts.map((all) => all.flat().join(''));
}

/** A corrector whose model writes down what it is given, and what it made of a text. */
async function corrected(text: string, correct: (read: string) => string, options: CorrectorOptions = {}) {
  const given: string[] = [];
  const model = scriptedCorrector(
    (read) => {
      given.push(read);
      return correct(read);
    },
    { sureness: () => 20 },
  );
  return { given, ...(await createCorrector(model, { refuse: [], ...options }).correct(text)) };
}

describe('text of another script', () => {
  it('stays as it is, and no model is asked, whatever it would say', async () => {
    const seed = fc.integer({ min: 1, max: 0xffffffff });
    await fc.assert(
      fc.asyncProperty(textOf(FOREIGN), seed, async (text, seeded) => {
        const { given, text: output, edits, leftAlone, statistics } = await corrected(text, wildCorrection(seeded));
        expect([output, edits, leftAlone, given]).toEqual([text, [], [], []]);
        expect(statistics.forwards).toBe(0);
      }),
      { seed: 16, numRuns: 100 },
    );
  });

  it('beside English takes nothing from that: every piece with a letter is read, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(textOf([...FOREIGN, ...FOREIGN, ...ENGLISH]), async (text) => {
        const spelled = (read: string): string => read.replaceAll('teh', 'the');
        const { given, text: output } = await corrected(text, spelled);
        expect(output).toBe(spelled(text));
        for (const read of given) expect(read).toMatch(/[a-z]/i);
      }),
      { seed: 17, numRuns: 60 },
    );
  });

  it('is never too long', async () => {
    expect((await corrected('猫'.repeat(600), (read) => read)).leftAlone).toEqual([]);
  });

  it('is told by sentences of a long line too', async () => {
    const text = `We saw teh cat. ${'Кошка спит на окне. '.repeat(20)}We saw teh cat.`;
    const { given, text: output } = await corrected(text, (read) => read.replace('teh', 'the'));
    expect(output).toBe(text.replaceAll('teh', 'the'));
    expect(given.length).toBeLessThan(5);
    expect(given.join('').length).toBeLessThan(text.length / 2);
  });

  it('is found beyond the first part of a long line, also where a letter lies on the border', async () => {
    for (const spaces of [14, 15, 16]) {
      const text = `${'猫 '.repeat(2_040)}${' '.repeat(spaces)}\u{10428}`;
      expect((await corrected(text, (read) => read, { alphabet: '\u{10428}' })).given).not.toEqual([]);
    }
  });

  it('is any other than that of the letters given', async () => {
    const yo = (read: string): string => `${read.replace('елка', 'ёлка')}.`;
    const alphabet = 'абвгдеёжзийклмнопрстуфхцчшщъыьэюя';
    expect(await corrected('Где елка\nTeh cat', yo, { alphabet })).toMatchObject({
      text: 'Где ёлка.\nTeh cat',
      given: ['Где елка'],
    });
    expect(await corrected('Где елка\nTeh cat', yo)).toMatchObject({ text: 'Где елка\nTeh cat.', given: ['Teh cat'] });
  });

  it('is none that the tokens of the model spell', async () => {
    const given: string[] = [];
    const model = scriptedCorrector((read) => {
      given.push(read);
      return read;
    });
    const spells = (tokenIds: ArrayLike<number>): string =>
      tokenIds.length === 1 && tokenIds[0] === 200 ? 'КОШ' : model.tokenizer.decode(tokenIds);
    const corrector = createCorrector({ ...model, tokenizer: { ...model.tokenizer, decode: spells } });
    await corrector.correct('ШОК\nΓάτα\nспит');
    expect(given).toEqual(['ШОК']);
  });
});
