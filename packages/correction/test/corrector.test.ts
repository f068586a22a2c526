import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, correctText, createCorrector, FencedCode } from '../src/index.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const outputOf = async (text: string, options?: CorrectorOptions): Promise<string> =>
  (await correctText(simple, text, options)).text;

describe('what is corrected', () => {
  it('a word that looks like a name only where the model is very sure', async () => {
    const names = (text: string): string => text.replaceAll('Jhon', 'John');
    const [unsure, sure] = [8, 14].map((logit) => scriptedCorrector(names, { sureness: () => logit }));
    const text = 'We saw Jhon, and Jhon saw us.';
    const left = await correctText(unsure, text);
    expect(left.text).toBe(text);
    expect(left.leftAlone.map(({ before, reason }) => [before, reason])).toEqual([
      ['Jhon', 'doubtful'],
      ['Jhon', 'doubtful'],
    ]);
    expect((await correctText(sure, text)).text).toBe('We saw John, and John saw us.');
    // A capital that a sentence begins with says nothing.
    expect((await correctText(unsure, 'Jhon saw us. Jhon did.')).text).toBe('John saw us. John did.');
  });

  it('words, casing and full stops, with their spans', async () => {
    const { text, edits } = await correctText(simple, 'teh cat likes alot of milk');
    expect(text).toBe('The cat likes a lot of milk.');
    expect(edits.map(({ start, end, before, after }) => [start, end, before, after])).toEqual([
      [0, 3, 'teh', 'The'],
      [14, 18, 'alot', 'a lot'],
      [26, 26, '', '.'],
    ]);
    expect(edits.map(({ outputStart, outputEnd }) => [outputStart, outputEnd])).toEqual([
      [0, 3],
      [14, 19],
      [27, 28],
    ]);
  });

  it('every line by itself, and all that is between sentences stays', async () => {
    const text = '  teh cat.\r\n\r\n\t- teh dog\n\n   \n# teh  wrold \t\n> 1. teh end!  \r\nteh\t cat';
    expect(await outputOf(text)).toBe(
      '  The cat.\r\n\r\n\t- The dog\n\n   \n# The  world \t\n> 1. The end!  \r\nThe\t cat.',
    );
  });

  it.each([
    ['# teh wrold', '# The world'],
    ['## 1. teh wrold. teh end', '## 1. The world. the end'],
    ['| teh cat |\n|---|\n| alot | teh dog |', '| The cat |\n|---|\n| A lot | the dog |'],
    ['TERMS OF USE', 'TERMS OF USE'],
    ['TERMS OF teh', 'TERMS OF the.'],
    ['#teh wrold', '#teh world.'],
    ['a cat | teh dog', 'A cat | the dog.'],
  ])('a heading, a line in capitals and cells get no full stop: %j becomes %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '\n',
    '\t\r\n ',
    '???',
    '...',
    '-- ! --',
    '123 456',
    '\u{1F600}',
    '\uD83D',
    '\u0000',
    '```\nteh cat\n```',
    '- ',
    '> \n#',
  ])('nothing of %j, and no model is asked', async (text) => {
    const asked: string[] = [];
    const model = scriptedCorrector(simpleCorrection, { onText: (read) => asked.push(read) });
    const { text: output, edits, statistics } = await correctText(model, text);
    expect([output, edits, asked]).toEqual([text, [], []]);
    expect(statistics).toEqual({ forwards: 0, tokens: 0, totalMs: 0 });
  });

  it('fenced code is left alone, also where lines come one by one', async () => {
    const text = 'teh cat\n~~~ts\nteh cat\n```\n~~~\nteh cat';
    expect(await outputOf(text)).toBe('The cat.\n~~~ts\nteh cat\n```\n~~~\nThe cat.');
    const corrector = createCorrector(simple);
    const code = new FencedCode();
    const lines: string[] = [];
    for (const line of text.split('\n')) lines.push((await corrector.correct(line, { code })).text);
    expect(lines.join('\n')).toBe(await outputOf(text));
  });

  it.each([
    'run `teh wrold` now.',
    'See https://teh.example/teh?wrold=teh and www.teh.wrold now.',
    'Mail teh.wrold@teh.example, or @teh now.',
    'Open teh.txt, /usr/teh/wrold or teh_wrold now.',
    'A <teh class="teh wrold">tag</teh> now.',
    'Take --teh and &teh; now.',
    'Take (--teh) or "-teh" now.',
    'Put {{teh}} or #{teh} and {teh} there now.',
    'Ask mailto:teh@teh.example or tel:teh now.',
    'It is teh=teh, or a+teh now.',
    'кот тех, naïve tehö now.',
    'It is 12teh34 and 3.14 now.',
    'It is (ii) or iii) of Louis XIV now.',
    'A \u{1F600}teh2 and tehWrold now.',
  ])('what is none of its business: %s', async (text) => {
    const harmful = scriptedCorrector((read) =>
      read.replace(/teh|wrold|тех|ï|12|3\.14|ii+|XIV/gu, 'BAD').replace(/\u{1F600}/gu, ''),
    );
    const { text: output, leftAlone } = await correctText(harmful, text);
    expect(output.replace(/^(?:Run|run)/, 'run')).toBe(text);
    expect(leftAlone.every(({ reason }) => reason === 'protected')).toBe(true);
    expect(leftAlone.length).toBeGreaterThan(0);
  });

  it.each(['km', 'kg', 'ms', 'GB', 'px', 'am', '°C', 'µg'])('a unit of measurement: %s', async (unit) => {
    const text = `It took 12 ${unit} yesterday, or 3.5 ${unit}.`;
    for (const harm of [`x${unit}`, 'king', '']) {
      const model = scriptedCorrector((read) => read.replaceAll(` ${unit}`, ` ${harm}`));
      expect((await correctText(model, text)).text).toBe(text);
    }
    const joining = scriptedCorrector((read) => read.replace(`${unit} yesterday`, 'keystraday'));
    expect((await correctText(joining, text)).text).toContain(` 12 ${unit} `);
  });

  it('no text that the model invents', async () => {
    const inventive = scriptedCorrector((text) => `${text} And then there was something else entirely.`);
    expect((await correctText(inventive, 'The cat.')).text).toBe('The cat.');
    const rewriting = scriptedCorrector(() => 'Something that has no word of it.');
    const { text, leftAlone } = await correctText(rewriting, 'Ich gehe heute nach Hause zu Abend.');
    expect(text).toBe('Ich gehe heute nach Hause zu Abend.');
    expect(new Set(leftAlone.map(({ reason }) => reason))).toEqual(new Set(['invented']));
    const endless = scriptedCorrector((read) => `${read} `.repeat(100));
    expect((await correctText(endless, 'The cat.')).text).toBe('The cat.');
    const losing = scriptedCorrector((read) => read.replace('display, publicly ', '').replace('now now', 'now'));
    expect((await correctText(losing, 'We publicly display, publicly perform it all day now now here.')).text).toBe(
      'We publicly display, publicly perform it all day now here.',
    );
    const silent = scriptedCorrector(() => '');
    expect((await correctText(silent, 'One two three four five.')).text).toBe('One two three four five.');
  });

  it('a moved word is never lost or said twice', async () => {
    const moving = scriptedCorrector((text) => text.replace('you love', 'love you'), {
      sureness: (output) => (output.startsWith('I love') ? 12 : 6),
    });
    for (const minConfidence of [0, 0.2, 0.5, 0.8, 0.9, 0.99]) {
      const { text } = await correctText(moving, 'I you love.', { minConfidence });
      expect(['I you love.', 'I love you.']).toContain(text);
    }
  });
});

describe('edits by themselves', () => {
  it('of one common word at two places are two, however the model is sure of what lies between', async () => {
    const model = scriptedCorrector((text) =>
      text
        .replace('an big', 'a big')
        .replace('wrold', 'world')
        .replace('in a a', 'in a')
        .replace('see cat', 'see a cat'),
    );
    const text =
      'There was an big dog in the wrold that slept all day in a a house and did not even once want to see cat.';
    const { edits } = await correctText(model, text);
    expect(edits.map(({ before, after }) => [before, after])).toEqual([
      ['an', 'a'],
      ['wrold', 'world'],
      ['a house', 'house'],
      ['see', 'see a'],
    ]);
  });

  it.each(['yesterday', 'now'])('of a rare word that moved far are one: %s', async (word) => {
    const model = scriptedCorrector((text) => text.replace(`${word} `, '').replace('bank.', `bank ${word}.`), {
      sureness: (output) => (output.includes('bank') ? 6 : 12),
    });
    const text = `We ${word} went all of the long way down to the bank.`;
    for (const minConfidence of [0, 0.5, 0.9]) {
      const { text: output } = await correctText(model, text, { minConfidence });
      expect(output.match(/yesterday|now/g)).toHaveLength(1);
    }
  });

  it('bring in no digit, symbol or half of a character', async () => {
    const model = scriptedCorrector((text) =>
      text.replace('ton', 't1n').replace('heart', 'h❤art').replace('cat', 'ca\u{FFFD}t'),
    );
    const text = 'My ton of heart is a cat.';
    const { text: output, leftAlone } = await correctText(model, text);
    expect(output).toBe(text);
    expect(leftAlone.map(({ before, reason }) => [before, reason])).toEqual([
      ['ton', 'invented'],
      ['heart', 'invented'],
      ['cat', 'invented'],
    ]);
  });
});
