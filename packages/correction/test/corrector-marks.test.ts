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
    ['we ate \u{1F600}', '\u{1F600}', '\u{1F600}.'],
    ['we ate \u{1F44B}\u{1F3FD} and', '\u{1F3FD}', '\u{1F3FD},'],
    ['bye \u270C\uFE0F', '\uFE0F', '\uFE0F.'],
    ['from \u{1F1E9}\u{1F1EA}', '\u{1F1EA}', '\u{1F1EA}.'],
    ['we ate :)', ':)', ':).'],
    ['we ate :-/ now', ':-/', ':-/,'],
    ['a cat <3', '<3', '<3.'],
    ['that is xD', 'xD', 'xD.'],
    ['can you count the cats', 'count', 'count the count'],
    ['a dog barks', 'dog', 'dog barks'],
    ['count the cat', 'count', 'Count the count'],
    ['a dog , no cat', ' , ', '  '],
    ['then we all went home to eat it and slept so well cat', 'slept', 'slept with an old big'],
    ['a cat now', 'cat', 'southeastern'],
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
    ['a cat (we ate)', ')', ').'],
    ['it costs 5\u20AC', '\u20AC', '\u20AC.'],
    ['of Acme\u2122', '\u2122', '\u2122.'],
    ['a cat 3', '3', '3.'],
    ['count me and the cat', 'count me', 'count me in'],
    ['he goed home', 'goed', 'went'],
    ['many tihngs now', 'tihngs', 'things'],
    ['he came to at home', ' to', ''],
    ['so we slept slept then', ' slept', ''],
    ['so yesterday we slept', 'yesterday we slept', 'we slept yesterday'],
    ['then we all went home to eat it and slept so well cat', 'slept', 'slept with an old'],
  ])('but the marks of sentences: %j, %j becomes %j', async (text, before, after) => {
    const model = scriptedCorrector((read) => read.replace(before, after), { sureness: () => 20 });
    expect((await correctText(model, text, { refuse: [] })).text).toBe(text.replace(before, after));
  });

  it.each([
    ['a freelist now', 'freelist', 'freeelist'],
    ["we won't now", "won't", "want't"],
    ['quote', 'quote', 'Qquote'],
    ['> quote', 'quote', 'Qquote'],
    ['a well-known dog', 'well-known', 'wwell-known'],
    ['IBAN of cat', 'IBAN', 'Iban'],
  ])('an odd word only where the model is very sure: in %j %j does not become %j', async (text, before, after) => {
    const model = (logit: number) =>
      scriptedCorrector((read) => read.replace(before, after), { sureness: () => logit });
    expect((await correctText(model(8), text)).leftAlone).toMatchObject([{ reason: 'doubtful' }]);
    expect((await correctText(model(14), text)).text).toBe(text.replace(before, after));
  });
});
