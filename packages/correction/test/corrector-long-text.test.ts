import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, correctText } from '../src/index.js';
import { piecesOf as cut } from '../src/pieces.js';
import { finished } from './finished.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const outputOf = async (text: string, options?: CorrectorOptions): Promise<string> =>
  (await correctText(simple, text, options)).text;

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

  it('is read in pieces that leave room for a longer output', async () => {
    const read: string[] = [];
    const correct = (text: string): string => {
      read.push(text);
      return simpleCorrection(text);
    };
    const text = words.join(' ');
    // Outputs of 50 tokens at most: pieces of 40.
    const model = scriptedCorrector(correct, { maxLength: 50 });
    expect((await correctText(model, text)).text).toBe(simpleCorrection(text));
    expect(Math.max(...read.map(({ length }) => length))).toBeGreaterThan(30);
    expect(Math.max(...read.map(({ length }) => length))).toBeLessThanOrEqual(40);
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
    ['a name', `${first}\nLazy Dogs of teh river`],
    ['a bracket', `${first}\n(lazy) dogs of teh river`],
    ['a bracket and a capital', `${first}m\n(Lazy dogs) of teh river`],
    ['a quotation mark', `${first}\n"lazy" dogs of teh river`],
    ['code', `${first}\n\`lazy\` dogs of teh river`],
  ])('is one where the next line begins with %s', async (_, text) => {
    expect(await piecesOf(text)).toEqual([text.replace('\n', ' ')]);
  });

  it.each([
    ['ends', `${first}.\nlazy dogs`],
    ['introduces', `${first}:\nlazy dogs`],
    ['is a cell', `| ${first} |\nlazy dogs`],
    ['is followed by a capital', `${first}m\nLazy dogs`],
    ['is followed by a capital in quotation marks', `${first}m\n"Lazy dogs"`],
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
