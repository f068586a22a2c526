import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextDeltas } from '../src/index.js';

const strict = new TextDecoder('utf-8', { fatal: true });

/** As decoders with byte fallback do: a run of bytes that is no UTF-8 reads as one U+FFFD for each byte. */
function textOf(tokenIds: readonly number[]): string {
  let text = '';
  for (let at = 0; at < tokenIds.length; ) {
    const run = tokenIds.slice(at).findIndex((tokenId) => tokenId < 256);
    const words = run < 0 ? tokenIds.slice(at) : tokenIds.slice(at, at + run);
    text += words.map((tokenId) => String.fromCodePoint(tokenId - 256)).join('');
    at += words.length;
    const bytes: number[] = [];
    while (at < tokenIds.length && tokenIds[at] < 256) bytes.push(tokenIds[at++]);
    try {
      text += strict.decode(Uint8Array.from(bytes));
    } catch {
      text += '\uFFFD'.repeat(bytes.length);
    }
  }
  return text;
}

const letters = (text: string): number[] => Array.from(text, (letter) => 256 + (letter.codePointAt(0) as number));

function joined(tokenIds: readonly number[]): string {
  const deltas = new TextDeltas(textOf);
  return tokenIds.map((tokenId) => deltas.push([tokenId])).join('') + deltas.end();
}

/** Tokenizers with habits of real ones; tokens are numbers below 16. */
const PIECES = [' ', '  ', 'a', 'b', ' c', '.', ' .', ',', "'", 'n', 't', ' n', "n't", '', 'x ', '!'];
const plain = (tokenIds: readonly number[]): string => tokenIds.map((id) => PIECES[id]).join('');
const DECOMPOSED = [
  ' ',
  'e',
  '\u0301',
  'a',
  '\u0308',
  'o',
  '',
  'u\u0308',
  '\u0302',
  ' e',
  'x',
  'y',
  'z',
  'n',
  '\u0303',
  '.',
];
const SURROGATES = [
  'a',
  ' ',
  ...Array.from({ length: 7 }, () => '\ud83d'),
  ...Array.from({ length: 7 }, () => '\ude00'),
];
const BYTES = [0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82, 0xac, 0xc3, 0xa9, 0xff, 0x41, 0x20, 0x42, 0x2e, -1, -1];
const lossy = new TextDecoder();

const TOKENIZERS: Readonly<Record<string, (tokenIds: readonly number[]) => string>> = {
  plain,
  'blanks taken away at both ends': (ids) => plain(ids).trim(),
  'blanks taken away at the beginning': (ids) => plain(ids).trimStart(),
  'blanks taken away at the end': (ids) => plain(ids).trimEnd(),
  'blanks drawn together': (ids) => plain(ids).replace(/ +/g, ' ').trim(),
  // As Hugging Face's clean_up_tokenization_spaces.
  'blanks before punctuation taken away': (ids) =>
    plain(ids)
      .replace(/ ([.!,])/g, '$1')
      .replace(/ ' /g, "'")
      .replace(/ n't/g, "n't"),
  'word pieces that go on a word': (ids) =>
    ids.map((id, at) => (id < 6 ? (at === 0 ? `##${id}` : String(id)) : `${at === 0 ? '' : ' '}w${id}`)).join(''),
  'equal tokens that follow one another are one': (ids) => plain(ids.filter((id, at) => id !== ids[at - 1])),
  'accents joined with their letters': (ids) =>
    ids
      .map((id) => DECOMPOSED[id])
      .join('')
      .normalize('NFC'),
  'halves of surrogate pairs': (ids) => ids.map((id) => SURROGATES[id]).join(''),
  'bytes, some tokens without any': (ids) =>
    lossy.decode(Uint8Array.from(ids.map((id) => BYTES[id]).filter((byte) => byte >= 0))),
  'runs of bytes that are all wrong where one is': (ids) =>
    textOf(ids.map((id) => (id < 10 ? BYTES[id] : 256 + 90 + id))),
  'no text at all': () => '',
  'a number for each place': (ids) => ids.map((id, at) => `${id}.${at} `).join(''),
};

/** Sequences of many lengths, often with long runs of one token. */
const anyTokenIds: fc.Arbitrary<number[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.nat(15).map((id) => [id]) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.nat(15), fc.nat(45)).map(([id, times]) => new Array<number>(times).fill(id)),
      },
    ),
    { maxLength: 40 },
  )
  .map((runs) => runs.flat());

describe('TextDeltas', () => {
  for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
    it(`joins to the text of all tokens and breaks no character: ${name}`, () => {
      fc.assert(
        fc.property(anyTokenIds, fc.integer({ min: 1, max: 5 }), (tokenIds, run) => {
          const deltas = new TextDeltas(tokenizer);
          const given: string[] = [];
          for (let at = 0; at < tokenIds.length; at += run) given.push(deltas.push(tokenIds.slice(at, at + run)));
          given.push(deltas.end());
          expect(given.join('')).toBe(tokenizer(tokenIds));
          for (const [at, piece] of given.entries()) {
            const rest = given.slice(at + 1).join('');
            if (/[\ud800-\udbff]$/.test(piece)) expect(rest).not.toMatch(/^[\udc00-\udfff]/);
            if (rest !== '') expect(piece).not.toMatch(/\ufffd$/);
          }
        }),
        { numRuns: 250, seed: 21 },
      );
    });

    it(`costs as much as the output is long: ${name}`, () => {
      for (const step of [0, 1, 7]) {
        let decoded = 0;
        const deltas = new TextDeltas((tokenIds) => {
          decoded += tokenIds.length;
          return tokenizer(tokenIds);
        });
        for (let at = 0; at < 4096; at++) deltas.push([(at * step + (at >> 4)) % 16]);
        deltas.end();
        expect(decoded).toBeLessThan(64 * 4096);
      }
    });
  }

  it('gives a text out as it grows, three tokens after it came', () => {
    const deltas = new TextDeltas(textOf);
    const given = letters('abcdefghijklmnopqrstuvwxyz'.repeat(40)).map((tokenId) => deltas.push([tokenId]));
    expect(given.slice(0, 3)).toEqual(['', '', '']);
    for (const piece of given.slice(3)) expect(piece).toHaveLength(1);
    expect(deltas.end()).toBe('xyz');
  });

  it('goes on with the stream after text that was given out reads differently', () => {
    // A line break takes away a blank of long ago.
    const rewriting = (tokenIds: readonly number[]): string => {
      const text = textOf(tokenIds);
      return text.includes('\n') ? text.replace(' ', '') : text;
    };
    let decoded = 0;
    const deltas = new TextDeltas((tokenIds) => {
      decoded += tokenIds.length;
      return rewriting(tokenIds);
    });
    const rest = 'the rest of the output '.repeat(200);
    const tokenIds = letters(`one two\n${rest}`);
    const given = tokenIds.map((tokenId) => deltas.push([tokenId]));
    expect(given.slice(20).every((piece) => piece.length === 1)).toBe(true);
    expect(given.join('') + deltas.end()).toMatch(/^one .*the rest of the output $/s);
    expect((given.join('') + deltas.end()).endsWith(rest.slice(20))).toBe(true);
    expect(decoded).toBeLessThan(32 * tokenIds.length);
  });

  it('gives the text of all tokens, characters of several bytes whole', () => {
    const tokenIds = [...letters('ab '), 0xc3, 0xa9, ...letters('c'), 0xf0, 0x9f, 0x98, 0x80];
    expect(joined(tokenIds)).toBe('ab \u00e9c\u{1f600}');
  });

  /** What readers see as one character, of several code points. */
  const CLUSTERS = [
    'e\u0301',
    'o\u0302\u0323',
    '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}',
    '\u{1f44d}\u{1f3fd}',
    '\u{1f1e9}\u{1f1ea}',
    '\u{1f1eb}\u{1f1f7}',
    '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    '\u0915\u093f',
    '\u1112\u1161\u11ab',
    '\u2764\ufe0f',
    '\r\n',
    'a',
    ' ',
  ];

  it('gives the parts of a letter with marks, a flag or a family out together', () => {
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...CLUSTERS), { maxLength: 30 }), fc.boolean(), (clusters, bytes) => {
        const text = clusters.join('');
        const tokenIds = bytes ? [...new TextEncoder().encode(text)] : letters(text);
        const deltas = new TextDeltas(textOf);
        const given = [...tokenIds.map((tokenId) => deltas.push([tokenId])), deltas.end()];
        expect(given.join('')).toBe(text);
        const ends = new Set([0, text.length, ...Array.from(segmenter.segment(text), ({ index }) => index)]);
        let length = 0;
        for (const piece of given) {
          length += piece.length;
          expect(ends).toContain(length);
        }
      }),
      { numRuns: 400, seed: 22 },
    );
  });

  it('gives parts out of what goes on for longer than any character, and works no more for it', () => {
    let decoded = 0;
    const deltas = new TextDeltas((tokenIds) => {
      decoded += tokenIds.length;
      return textOf(tokenIds);
    });
    const marks = `a${'\u0301'.repeat(4000)}`;
    const given = letters(marks).map((tokenId) => deltas.push([tokenId]));
    expect(given.join('').length).toBeGreaterThan(3800);
    expect(given.join('') + deltas.end()).toBe(marks);
    expect(decoded).toBeLessThan(128 * marks.length);
  });

  it('waits for the bytes that may make a character no character', () => {
    // The byte after the character makes its run no UTF-8.
    expect(joined([...letters('ab'), 0xc3, 0xa9, 0x80, ...letters('the rest of the output')])).toBe(
      'ab\ufffd\ufffd\ufffdthe rest of the output',
    );
  });
});
