import { ForetokenError } from '@foretoken/core';
import { ngramDrafter } from '@foretoken/speculative';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Correction, type CorrectorOptions, correctText, createCorrector, FencedCode } from '../src/index.js';
import { piecesOf as cut } from '../src/pieces.js';
import { PLAIN_LETTERS } from '../src/protected-spans.js';
import { spelledLetters } from '../src/spelled-letters.js';
import { anyText, wildCorrection } from './any-text.js';
import { finished } from './finished.js';
import { scriptedCorrector, scriptedLattice, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const outputOf = async (text: string, options?: CorrectorOptions): Promise<string> =>
  (await correctText(simple, text, options)).text;

/** The input with the edits put in by their spans. */
function rebuilt(text: string, edits: Correction['edits']): string {
  let output = '';
  let read = 0;
  for (const { start, end, after } of edits) {
    output += text.slice(read, start) + after;
    read = end;
  }
  return output + text.slice(read);
}

function expectConsistent(text: string, { text: output, edits, leftAlone }: Correction): void {
  expect(rebuilt(text, edits)).toBe(output);
  let last = 0;
  for (const { start, end, before, after, outputStart, outputEnd, probability } of edits) {
    expect(start).toBeGreaterThanOrEqual(last);
    expect(text.slice(start, end)).toBe(before);
    expect(output.slice(outputStart, outputEnd)).toBe(after);
    expect(before).not.toBe(after);
    expect(probability).toBeGreaterThanOrEqual(0);
    expect(probability).toBeLessThan(1);
    last = end;
  }
  for (const { start, end, before } of leftAlone) expect(text.slice(start, end)).toBe(before);
}

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
      '  The cat.\r\n\r\n\t- The dog.\n\n   \n# The  world. \t\n> 1. The end!  \r\nThe\t cat.',
    );
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
    'A \u{1F600}teh2 and tehWrold now.',
  ])('what is none of its business: %s', async (text) => {
    const harmful = scriptedCorrector((read) =>
      read.replace(/teh|wrold|тех|ï|12|3\.14/gu, 'BAD').replace(/\u{1F600}/gu, ''),
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

  it('no text that the model invents', async () => {
    const inventive = scriptedCorrector((text) => `${text} And then there was something else entirely.`);
    expect((await correctText(inventive, 'The cat.')).text).toBe('The cat.');
    const rewriting = scriptedCorrector(() => 'Something that has no word of it.');
    const { text, leftAlone } = await correctText(rewriting, 'Ich gehe heute nach Hause zu Abend.');
    expect(text).toBe('Ich gehe heute nach Hause zu Abend.');
    expect(new Set(leftAlone.map(({ reason }) => reason))).toEqual(new Set(['invented']));
    const endless = scriptedCorrector((read) => `${read} `.repeat(100));
    expect((await correctText(endless, 'The cat.')).text).toBe('The cat.');
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

  it('of a rare word that moved far are one', async () => {
    const model = scriptedCorrector((text) => text.replace('yesterday ', '').replace('bank.', 'bank yesterday.'), {
      sureness: (output) => (output.includes('bank') ? 6 : 12),
    });
    const text = 'We yesterday went all of the long way down to the bank.';
    for (const minConfidence of [0, 0.5, 0.9]) {
      const { text: output } = await correctText(model, text, { minConfidence });
      expect(output.match(/yesterday/g)).toHaveLength(1);
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

describe('how sure it must be', () => {
  const unsure = scriptedCorrector(simpleCorrection, { sureness: (output) => (output.includes('cat') ? 7 : 12) });

  it('each edit has the probability of the tokens that spell it', async () => {
    const { edits } = await correctText(unsure, 'teh cat wrold');
    const one = Math.exp(12) / (Math.exp(12) + 256);
    const other = Math.exp(7) / (Math.exp(7) + 256);
    expect(edits.map(({ before }) => before)).toEqual(['teh', 'wrold', '']);
    expect(edits.map(({ probability }) => probability)).toEqual(
      [one ** 3, other ** 5, other].map((value) => expect.closeTo(value, 5)),
    );
  });

  it('doubtful edits are left alone, each by itself', async () => {
    const { text, edits, leftAlone } = await correctText(unsure, 'teh cat wrold', { minConfidence: 0.5 });
    expect(text).toBe('The cat wrold.');
    expect(edits.map(({ after }) => after)).toEqual(['The', '.']);
    expect(leftAlone).toEqual([expect.objectContaining({ before: 'wrold', after: 'world', reason: 'doubtful' })]);
  });

  it('a full stop and the capital after it go together', async () => {
    const model = scriptedCorrector((text) => text.replace('here it', 'here. It'), {
      sureness: (output) => (output.endsWith('here') ? 5.5 : 12),
    });
    const { edits } = await correctText(model, 'It was here it  was.');
    expect(edits).toMatchObject([{ before: ' it', after: '. It', start: 11, end: 14 }]);
    expect((await correctText(model, 'It was here it  was.')).text).toBe('It was here. It  was.');
    expect((await correctText(model, 'It was here it  was.', { minConfidence: 0.9 })).text).toBe(
      'It was here it  was.',
    );
  });
});

describe('long text', () => {
  const words = Array.from({ length: 300 }, (_, index) =>
    index % 3 === 0 ? 'teh' : index % 3 === 1 ? 'cat' : 'sleeps',
  );

  it('without any full stop is cut where it does not show', async () => {
    // Every word is one that a piece must decide about.
    for (const text of [words.join(' '), 'teh '.repeat(300).trim(), 'teh a '.repeat(200).trim()]) {
      expect(await outputOf(text)).toBe(simpleCorrection(text));
    }
  });

  it('of sentences is cut between them', async () => {
    const read: string[] = [];
    const model = scriptedCorrector((piece) => {
      read.push(piece);
      return simpleCorrection(piece);
    });
    const text = Array.from({ length: 80 }, (_, index) => `The cat number ${index} likes teh milk.`).join('  ');
    expect((await correctText(model, text)).text).toBe(text.replaceAll('teh', 'the'));
    expect(read.length).toBeGreaterThan(20);
    expect(Math.max(...read.map(({ length }) => length))).toBeLessThanOrEqual(120);
    expect(read.filter((piece) => /\s\s/.test(piece))).toEqual([]);
    expect(read.every((piece) => piece.startsWith('The cat') && piece.endsWith('milk.'))).toBe(true);
  });

  it('after the ends of sentences, not after abbreviations', async () => {
    const read: string[] = [];
    const model = scriptedCorrector((text) => text, { onText: (text) => read.push(text) });
    const titles = ['Dr.', 'e.g.', 'J.', 'No.', 'vs.'];
    const sentences = titles.map((title) => `A cat saw ${title} Smith and 3 dogs there.`);
    await correctText(model, sentences.join(' '));
    const pieces = read.filter((text) => text.startsWith('A cat') && text.endsWith('.'));
    expect(pieces.length).toBeGreaterThan(0);
    for (const title of titles) expect(read.filter((text) => text.endsWith(title))).toEqual([]);
  });

  it('at the end of a sentence where a look at a long text ends', () => {
    const first = `${'cats sat '.repeat(1706)}a end.`;
    expect(first.length).toBe(15_360);
    const text = `${first} The next one is here. ${'It goes on. '.repeat(200)}`;
    const words = (read: string): number => read.split(' ').length;
    const { pieces } = finished(cut(text, { start: 0, end: text.length }, words, { max: 40, usual: 20 }));
    expect(pieces.filter((piece) => piece.text.startsWith('The next one'))).toHaveLength(1);
  });

  it('of words that a tokenizer reads nothing in', () => {
    const text = 'ab '.repeat(2_000).trim();
    const { pieces } = finished(cut(text, { start: 0, end: text.length }, () => 0, { max: 40, usual: 20 }));
    expect(Math.max(...pieces.map((piece) => piece.text.split(' ').length))).toBe(20);
    expect(pieces.at(-1)?.core.end).toBe(text.length);
  });

  it('around what is too long for any model', async () => {
    const long = 'x'.repeat(50_000);
    expect(await outputOf(`teh cat ${long} teh cat`)).toBe(`The cat ${long} teh cat.`);
    expect(await outputOf(long)).toBe(long);
    expect(await outputOf(`${long} teh`)).toBe(`${long} teh.`);
    // The last word before it is the piece's to decide, a full stop after it is not.
    expect(await outputOf(`a teh ${long} a teh`)).toBe(`A the ${long} a the.`);
    const { leftAlone } = await correctText(simple, `teh cat ${long} teh cat`);
    expect(leftAlone).toEqual([
      { start: 8, end: 50_008, before: long, after: long, probability: 0, reason: 'too-long' },
    ]);
  });

  it('that the model cannot read, or finds no end of, is told', async () => {
    const short = scriptedCorrector(simpleCorrection, { sourceLength: 40 });
    const text = 'teh cat sleeps and teh cat eats and teh cat sleeps again.';
    const { edits, leftAlone } = await correctText(short, text);
    expect(leftAlone.some(({ reason }) => reason === 'too-long')).toBe(true);
    for (const { index } of text.matchAll(/teh/g)) {
      expect([...edits, ...leftAlone].some(({ start, end }) => start <= index && end >= index + 3)).toBe(true);
    }
    const endless = scriptedCorrector((read) => `${read} `.repeat(100));
    expect((await correctText(endless, 'The cat.')).leftAlone).toEqual([
      { start: 0, end: 8, before: 'The cat.', after: 'The cat.', probability: 0, reason: 'endless' },
    ]);
  });

  it('takes time in proportion to its length, whatever it is made of', async () => {
    const count = async (text: string): Promise<number> => {
      let characters = 0;
      const model = scriptedCorrector((read) => read, { onText: ({ length }) => (characters += length) });
      await correctText(model, text);
      return characters / text.length;
    };
    for (const unit of ['a b. ', 'a ', 'ab', '` ', '<a ', 'a@', '/_', '`', '\uD83D', 'a\n']) {
      expect(await count(unit.repeat(600))).toBeLessThan(40);
    }
  });
});

describe('text that a model does not know', () => {
  it('is altered only where it is very sure of the edit', async () => {
    // Of every token less sure than of any of a language that it has read.
    const [unclear, clear] = [6.5, 12].map((logit) =>
      scriptedCorrector((text) => text.replace('und', 'and').replace('ich', 'each'), {
        sureness: (output) => (output.endsWith('und') || output.endsWith(' an') ? 30 : logit),
      }),
    );
    const text = 'Heute gehe ich nach Hause und esse.';
    const { text: output, leftAlone } = await correctText(unclear, text);
    expect(output).toBe(text);
    expect(leftAlone.map(({ before, after, reason }) => [before, after, reason])).toEqual([
      ['ich', 'each', 'doubtful'],
      ['und', 'and', 'doubtful'],
    ]);
    expect((await correctText(clear, text)).text).toBe('Heute gehe each nach Hause and esse.');
  });

  it('is told from what it knows beside it', async () => {
    const foreign = 'je ne sais pas ce que tu veux';
    const model = scriptedCorrector((text) => text.replace('pas', 'past').replaceAll('teh', 'the'), {
      sureness: (output) => (output.includes('je ne') && !output.includes('veux.') ? 5.8 : 12),
    });
    const known = 'This is a sentence of some length that anyone may read';
    const { text } = await correctText(model, `${known} in teh end. ${foreign}. ${known} in teh end.`);
    expect(text).toBe(`${known} in the end. ${foreign}. ${known} in the end.`);
  });
});

describe('a lattice in place of the autoregressive model', () => {
  const silent = scriptedCorrector(() => {
    throw new Error('asked');
  });

  it('is read in one forward a piece, under the same rules', async () => {
    const lattice = scriptedLattice((text) => simpleCorrection(text).replace('x1', 'x2'));
    const text = 'teh cat likes alot of x1\n- teh wrold';
    const correction = await correctText(silent, text, { lattice });
    expectConsistent(text, correction);
    expect(correction.text).toBe('The cat likes a lot of x1.\n- The world.');
    expect(correction.leftAlone).toMatchObject([{ before: 'x1', after: 'x2', reason: 'protected' }]);
    expect(correction.statistics).toMatchObject({ forwards: 2 });
  });

  it('leaves more doubtful edits alone unless it is told otherwise', async () => {
    const lattice = scriptedLattice(simpleCorrection, (output) => (output.endsWith('wo') ? 0.6 : 0.99));
    const { text, leftAlone } = await correctText(silent, 'teh cat wrold', { lattice });
    expect(text).toBe('The cat wrold.');
    expect(leftAlone).toMatchObject([{ before: 'wrold', reason: 'doubtful' }]);
    expect((await correctText(silent, 'teh cat wrold', { lattice, minConfidence: 0.5 })).text).toBe('The cat world.');
  });

  it('brings in no refused word, and leaves what it cannot read', async () => {
    const lattice = scriptedLattice((text) => text.replace('duck', 'darn').replace('teh', 'the'));
    const refuse = ['darn'];
    const { text, leftAlone } = await correctText(silent, 'teh duck', { lattice, refuse });
    expect(text).toBe('the duck');
    expect(leftAlone).toMatchObject([{ before: 'duck', after: 'darn', reason: 'refused' }]);
    const long = 'y'.repeat(600);
    expect((await correctText(silent, `teh ${long}`, { lattice })).text).toBe(`the ${long}`);
  });

  it('says of a piece that it cannot read that it is too long', async () => {
    const lattice = scriptedLattice(simpleCorrection);
    // Words of which each can be read, and no two together.
    const { tokenizer } = silent;
    const short: typeof tokenizer = {
      ...tokenizer,
      encode: (text) => {
        if (text.trim().includes(' ')) throw new ForetokenError('SOURCE_TOO_LONG', 'Too long.');
        return tokenizer.encode(text);
      },
    };
    const { text, leftAlone } = await correctText({ ...silent, tokenizer: short }, 'teh cat', { lattice });
    expect(text).toBe('teh cat');
    expect(leftAlone).toMatchObject([{ before: 'teh cat', after: 'teh cat', probability: 0, reason: 'too-long' }]);
  });

  it('takes no drafter, and is a CTC model of the vocabulary', () => {
    const lattice = scriptedLattice(simpleCorrection);
    for (const [options, code] of [
      [{ lattice, drafter: 'none' }, 'INVALID_ARGUMENT'],
      [{ lattice: { ...lattice, vocabulary: { size: 5, endTokenId: 1 } } }, 'INVALID_ARGUMENT'],
      [{ lattice: { ...lattice, supports: { kind: 'dag', maxCandidates: 1 } } }, 'UNSUPPORTED_CAPABILITY'],
      [{ lattice: silent.autoregressive }, 'UNSUPPORTED_CAPABILITY'],
    ] as const) {
      expect(() => createCorrector(silent, options as unknown as CorrectorOptions)).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });
});

describe('letters that a vocabulary spells', () => {
  it('are those of its tokens in lower case, and the plain ones', () => {
    const tokens = ['Ä', 'bß', '1', '\ufffd', '\u0301', 'É!'];
    const tokenizer = { ...simple.tokenizer, decode: (ids: ArrayLike<number>) => tokens[ids[0]] };
    expect(finished(spelledLetters(tokenizer, tokens.length))).toBe(
      [...PLAIN_LETTERS, 'ä', 'ß', 'é', '\u0301'].sort().join(''),
    );
  });
});

describe('words that are kept', () => {
  const chatty = scriptedCorrector((text) => text.replace(/lol|xylo/giu, 'Lo').replaceAll('teh', 'the'));

  it('are those of chats, or those that are given', async () => {
    expect((await correctText(chatty, 'teh LOL (lol) xylo')).text).toBe('the LOL (lol) Lo');
    const { text, leftAlone } = await correctText(chatty, 'teh lol "Xylo".', { keep: ['xylo'] });
    expect(text).toBe('the Lo "Xylo".');
    expect(leftAlone).toMatchObject([{ before: 'Xylo', after: 'Lo', reason: 'protected' }]);
    expect((await correctText(chatty, 'lol', { keep: [] })).text).toBe('Lo');
  });

  it.each([['two words'], [''], ['.'], ['a,'], [7]])('are words: %j', (word) => {
    expect(() => createCorrector(chatty, { keep: [word as string] })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

/** What the model is given of a text, piece by piece. */
async function piecesOf(text: string): Promise<string[]> {
  const pieces: string[] = [];
  const noted = (piece: string): string => {
    pieces.push(piece);
    return piece;
  };
  await correctText(scriptedCorrector(noted), text);
  return pieces;
}

describe('sentences that are read together', () => {
  it.each(['Dr.', 'Mrs.', 'e.g.', 'i.e.', 'J. R.', 'No.', 'vs.'])('are not cut after %s', async (short) => {
    const sentence = `The letter that was sent to ${short} Smith has come back.`;
    expect(await piecesOf(Array(5).fill(sentence).join(' '))).toEqual(Array(5).fill(sentence));
    expect(await piecesOf(`${sentence} It is for ${short}`)).toEqual([sentence, `It is for ${short}`]);
  });

  it('are not cut where a long text was wrapped', async () => {
    const first = 'The quick brown fox jumps over all of the';
    const text = `${first}\nlazy dogs and then goes down to the river, where\nit stays. The rest of this is about other things.`;
    expect(await piecesOf(text)).toEqual([
      `${first} lazy dogs and then goes down to the river, where it stays.`,
      'The rest of this is about other things.',
    ]);
  });
});

describe('a sentence over several lines', () => {
  const first = 'The quick brown fox jumps over all of the';

  it('is read as one, and its line breaks stay', async () => {
    for (const between of ['\n', '\r\n', '\n  ', ' \n\t']) {
      const text = `> ${first}${between}lazy dogs and then it goes down to${between}teh river`;
      expect(await piecesOf(text)).toEqual([`${first} lazy dogs and then it goes down to teh river`]);
      expect(await outputOf(text)).toBe(text.replace('teh', 'the').concat('.'));
    }
  });

  it.each([
    ['ends', `${first}.\nlazy dogs`],
    ['introduces', `${first}:\nlazy dogs`],
    ['is a cell', `| ${first} |\nlazy dogs`],
    ['is followed by a capital', `${first}\nLazy dogs`],
    ['is followed by a mark', `${first}\n- lazy dogs`],
    ['is followed by a quotation mark', `${first}\n> lazy dogs`],
    ['is followed by an empty line', `${first}\n\nlazy dogs`],
    ['is followed by code', `${first}\n\`\`\`\nlet x = lazy;\n\`\`\`\nlazy dogs`],
    ['is short', 'The fox jumps over the\nlazy dogs'],
    ['begins in lower case', `${first.toLowerCase()}\nlazy dogs`],
    ['had room for the next word', `${first}\nlazy dogs, which is a line that is longer than the one before it`],
  ])('is not one where a line %s', async (_, text) => {
    expect((await piecesOf(text)).length).toBe(2);
  });
});

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

describe('bad arguments', () => {
  it.each([undefined, null, 7, ['text']])('a text that is %j', async (text) => {
    await expect(correctText(simple, text as unknown as string)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    { minConfidence: 2 },
    { minConfidence: Number.NaN },
    { maxNodes: 0 },
    { refuse: 'word' },
    { drafter: 'copy' },
    { confidence: 1 },
  ])('options %j', (options) => {
    expect(() => createCorrector(simple, options as CorrectorOptions)).toThrow(ForetokenError);
  });

  it.each([
    ['code.holds', { code: { holds: async () => false } }],
    ['code.holds', { code: { holds: () => 'no' } }],
    ['code.holds', { code: { holds: () => Promise.reject(new Error('rejected')) } }],
  ])('what %s returns', async (name, options) => {
    await expect(correctText(simple, 'teh cat', options as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`What ${name} returns`),
    });
  });

  it.each(['encode', 'decode', 'tokenText'])('what %s of a tokenizer returns', async (name) => {
    for (const odd of [undefined, 7, [1], 'promise']) {
      const answer = () => (odd === 'promise' ? Promise.reject(new Error('rejected')) : odd);
      const model = { ...simple, tokenizer: { ...simple.tokenizer, [name]: answer } };
      await expect(correctText(model, 'teh cat')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^What .*returns must be/),
      });
    }
  });

  it('a model without an autoregressive part, a drafter of another vocabulary, an aborted signal', async () => {
    const { tokenizer } = simple;
    const part = (): never => {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This folder has no autoregressive model.', {});
    };
    expect(() => createCorrector({ part, tokenizer })).toThrow('This folder has no autoregressive model.');
    for (const model of [{ tokenizer }, undefined, null, 'a path']) {
      expect(() => createCorrector(model as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const drafter = ngramDrafter({ vocabulary: { size: 3, endTokenId: 0 } });
    await expect(correctText(simple, 'teh cat', { drafter })).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
    const reason = new Error('enough');
    await expect(correctText(simple, 'teh cat', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
