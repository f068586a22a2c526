import { describe, expect, it } from 'vitest';
import { correctText } from '../src/index.js';
import { scriptedCorrector } from './scripted-corrector.js';

describe('marks and letters of the writer', () => {
  it.each([
    ['127 - - teh cat', '- - ', '- '],
    ['a dog - no cat', ' - ', ' '],
    ['a dog (no cat', '(', ''],
    ['a "dog cat', '"', ''],
    ['a dog) no', 'dog', 'dog]'],
    ['a [dog cat', 'dog', 'dog]'],
    ['some **dog* cat', 'dog*', 'dog**'],
    ['a dog \\ cat', ' \\', ''],
    ['go -- cat', '--', '---'],
    ['dog .... cat', '....', '.....'],
    ['a dog... cat', 'dog...', 'dog....'],
    ['ISBN of cat', 'ISBN', 'IsBN'],
    ['a dog, cat', ',', ',,'],
  ])('no marks of how %j is built: %j does not become %j', async (text, before, after) => {
    const model = scriptedCorrector((read) => read.replace(before, after), { sureness: () => 20 });
    const correction = await correctText(model, text, { refuse: [] });
    expect(correction.text).toBe(text);
    expect(correction.leftAlone.length).toBeGreaterThan(0);
    expect(correction.leftAlone.every(({ reason }) => reason === 'invented' || reason === 'protected')).toBe(true);
  });

  it.each([
    ['a well - known dog', ' - ', '-'],
    ['a dog (an old one', 'old', 'older'],
    ['ISBN of cat', 'ISBN', 'Isbn'],
    ['THE cat', 'THE', 'The'],
    ['dogs cat', 'dogs', "dog's"],
    ['a foot-ball cat', 'foot-ball', 'football'],
    ['a dog- no cat', '- ', ' '],
    ['a dog – cat', '–', '-'],
    ['we ate. cat', '.', '!'],
  ])('but the marks of sentences: %j, %j becomes %j', async (text, before, after) => {
    const model = scriptedCorrector((read) => read.replace(before, after), { sureness: () => 20 });
    expect((await correctText(model, text, { refuse: [] })).text).toBe(text.replace(before, after));
  });

  it('a letter three times in a row only where the model is very sure', async () => {
    const model = (logit: number) =>
      scriptedCorrector((read) => read.replace('freelist', 'freeelist'), { sureness: () => logit });
    expect((await correctText(model(8), 'a freelist now')).leftAlone).toMatchObject([{ reason: 'doubtful' }]);
    expect((await correctText(model(14), 'a freelist now')).text).toBe('a freeelist now');
  });
});
