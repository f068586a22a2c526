import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackoffModel, type Ngram, readArpa } from '../src/index.js';

const WORDS = ['<s>', '</s>', '<unk>', 'a', 'b'];

/** Random n-grams of up to four words, many without the shorter ones they are made of. */
const anyNgrams: fc.Arbitrary<Ngram[]> = fc.uniqueArray(
  fc.record({
    words: fc.array(fc.nat(WORDS.length - 1), { minLength: 1, maxLength: 4 }),
    logProb: fc.integer({ min: -40, max: 0 }).map((score) => score / 8),
    backoff: fc.integer({ min: -16, max: 8 }).map((score) => score / 8),
  }),
  { selector: ({ words }) => words.join(), maxLength: 30 },
);

/** The definition: the n-gram if it is known, else the back-off weight of the history and one word less of it. */
function reference(ngrams: ReadonlyMap<string, Ngram>, history: readonly number[], word: number): number {
  const known = ngrams.get([...history, word].join());
  if (known !== undefined) return known.logProb;
  if (history.length === 0) return Number.NEGATIVE_INFINITY;
  return (ngrams.get(history.join())?.backoff ?? 0) + reference(ngrams, history.slice(1), word);
}

describe('BackoffModel', () => {
  it('backs off by the definition, whatever n-grams there are', () => {
    fc.assert(
      fc.property(anyNgrams, fc.array(fc.nat(WORDS.length - 1), { maxLength: 7 }), (ngrams, sentence) => {
        const model = new BackoffModel(WORDS, ngrams);
        const byWords = new Map(ngrams.map((ngram) => [ngram.words.join(), ngram]));
        for (const begin of [[], [0]]) {
          let state = begin.length === 0 ? model.empty : model.start;
          const history = [...begin];
          for (const word of [...sentence, 1]) {
            const known = history.slice(Math.max(0, history.length - Math.max(0, model.order - 1)));
            const expected = reference(byWords, known, word);
            const found = word === 1 ? model.end(state) : model.logProb(state, word);
            if (expected === Number.NEGATIVE_INFINITY) expect(found).toBe(expected);
            else expect(found).toBeCloseTo(expected, 9);
            state = model.next(state, word);
            history.push(word);
          }
        }
      }),
    );
  });

  it('knows words by name, and else as <unk>', () => {
    const model = new BackoffModel(WORDS, [{ words: [2], logProb: -3 }]);
    expect([model.indexOf('b'), model.indexOf('zzz'), model.has('b'), model.has('zzz')]).toEqual([4, 2, true, false]);
    const plain = new BackoffModel(['a'], [{ words: [0], logProb: -1 }]);
    expect(plain.indexOf('zzz')).toBe(-1);
    expect(plain.logProb(plain.start, -1)).toBe(Number.NEGATIVE_INFINITY);
    expect(plain.next(plain.start, -1)).toBe(plain.empty);
    expect(plain.end(plain.start)).toBe(0);
  });

  it('keeps the order it was made for where no n-gram of it is left', () => {
    const ngrams = [
      { words: [0], logProb: -1, backoff: -0.5 },
      { words: [1], logProb: -2, backoff: -0.25 },
      { words: [0, 1], logProb: -0.5, backoff: -4 },
    ];
    const states = (model: BackoffModel): number => model.next(model.next(model.start, 0), 1);
    const bigrams = new BackoffModel(['a', 'b'], ngrams);
    const trigrams = new BackoffModel(['a', 'b'], ngrams, 3);
    expect([bigrams.order, trigrams.order]).toEqual([2, 3]);
    expect(bigrams.logProb(states(bigrams), 0)).toBeCloseTo(-1 - 0.25);
    expect(trigrams.logProb(states(trigrams), 0)).toBeCloseTo(-1 - 0.25 - 4);
    expect(() => new BackoffModel(['a', 'b'], ngrams, 1)).toThrow(/order must be an integer of at least 2/);
  });

  it('refuses a history that it did not give, and goes round no loop', () => {
    const model = new BackoffModel(WORDS, [{ words: [2], logProb: -3 }]);
    for (const state of [Number.NaN, 99, -1, undefined]) {
      for (const call of [() => model.logProb(state as number, 0), () => model.next(state as number, 0)]) {
        expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      }
    }
  });

  it('refuses n-grams that mean nothing', () => {
    const wrong: readonly (readonly [readonly string[], readonly Ngram[]])[] = [
      [['a', 'a'], []],
      [['a'], [{ words: [], logProb: -1 }]],
      [['a'], [{ words: [1], logProb: -1 }]],
      [['a'], [{ words: [0], logProb: 0.5 }]],
      [['a'], [{ words: [0], logProb: Number.NaN }]],
      [['a'], [{ words: [0], logProb: -1, backoff: Number.NaN }]],
      [['a'], [0, 0].map(() => ({ words: [0], logProb: -1 }))],
      [['a', undefined as never], []],
      [['a'], null as never],
      [['a'], [null as never]],
      [['a'], [{ words: 'a' as never, logProb: -1 }]],
      [['a'], [{ words: [Symbol('a') as never], logProb: -1 }]],
      [['a'], [{ words: [0], logProb: -1n as never }]],
      [['a'], [{ words: [0], logProb: -1, backoff: {} as never }]],
    ];
    for (const [words, ngrams] of wrong) {
      expect(() => new BackoffModel(words, ngrams)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});

const ARPA = `
made by hand, ignored

\\data\\
ngram 1=3
ngram 2=1

\\1-grams:
-1.0\t<unk>
-0.5\ta\t-0.25
-inf\tb\t-99

\\2-grams:
-0.125\ta b

\\end\\
and this too
`;

describe('readArpa', () => {
  it('reads logarithms of base 10 as natural ones', () => {
    for (const text of [ARPA, ARPA.replaceAll('\n', '\r\n'), ARPA.replaceAll('\t', '  ')]) {
      const model = readArpa(text);
      expect(model.words).toEqual(['<unk>', 'a', 'b']);
      expect(model.order).toBe(2);
      const after = model.next(model.start, model.indexOf('a'));
      expect(model.logProb(model.start, 1)).toBeCloseTo(-0.5 * Math.LN10);
      expect(model.logProb(after, 2)).toBeCloseTo(-0.125 * Math.LN10);
      expect(model.logProb(after, 0)).toBeCloseTo(-1.25 * Math.LN10);
      expect(model.logProb(model.start, 2)).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  it('counts the weights of histories before n-grams that were announced, but of which none is left', () => {
    const text = ARPA.replace('ngram 2=1', 'ngram 2=1\nngram 3=0').replace(
      '-0.125\ta b',
      '-0.125\ta b\t-2\n\n\\3-grams:',
    );
    const model = readArpa(text);
    expect(model.order).toBe(3);
    const after = ['a', 'b'].reduce((state, word) => model.next(state, model.indexOf(word)), model.start);
    // The weights of "a b" and "b", and the unigram.
    expect(model.logProb(after, model.indexOf('a'))).toBeCloseTo((-2 - 99 - 0.5) * Math.LN10);
  });

  it('names the line that breaks the format', () => {
    const wrong: readonly (readonly [string, string, number])[] = [
      ['ngram 2=1', 'ngram 3=1', 6],
      ['ngram 2=1', 'ngram two=1', 6],
      ['ngram 1=3', 'ngram 1=4', 13],
      ['\\2-grams:', '\\3-grams:', 13],
      ['-0.125\ta b', '-0.125\ta c', 14],
      ['-0.125\ta b', '-0.125\ta', 14],
      ['-0.125\ta b', 'x\ta b', 14],
      ['-0.125\ta b', '\ta b', 14],
      ['-0.125\ta b', '0x1\ta b', 14],
      ['-0.125\ta b', '0.5\ta b', 14],
      ['-0.125\ta b', '-0.125\ta\u00a0b', 14],
      ['\\2-grams:', '\\data\\', 13],
      ['\\end\\', '', 17],
      ['\\2-grams:\n-0.125\ta b\n', '', 14],
    ];
    for (const [from, to, line] of wrong) {
      expect(() => readArpa(ARPA.replace(from, () => to))).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ line }) }),
      );
    }
  });

  it('parts fields at spaces and tabs alone, whatever else a word is made of', () => {
    // All that Unicode or JavaScript counts as white space or as a line's end, and what is easily taken for either.
    const odd = '\u00a0\u202f\u3000\u2028\u2029\ufeff\u0085\u1680\u2000\u2009\u200b\u205f\v\f';
    for (const character of odd) {
      const words = [character, `${character}a`, `a${character}`, `a${character}b`, `a${character}${character}b`];
      const unigrams = words.map((word, index) => `-${index + 1}\t${word}\t-0.5`);
      const bigrams = words.map((word) => `-0.25 ${word} ${word}`);
      const text = [
        '\\data\\',
        'ngram 1=5',
        'ngram 2=5',
        '\\1-grams:',
        ...unigrams,
        '\\2-grams:',
        ...bigrams,
        '\\end\\',
      ];
      for (const newline of ['\n', '\r\n']) {
        const model = readArpa(text.join(newline));
        expect(model.words).toEqual(words);
        for (const [index, word] of words.entries()) {
          expect(model.logProb(model.empty, model.indexOf(word))).toBeCloseTo(-(index + 1) * Math.LN10, 9);
          const after = model.next(model.empty, index);
          expect(model.logProb(after, index)).toBeCloseTo(-0.25 * Math.LN10, 9);
        }
      }
    }
  });

  it('reads files that begin with a byte order mark, indent, or leave back-off weights out', () => {
    const expected = readArpa(ARPA);
    const variants = [
      ARPA.replace('made by hand, ignored', ''),
      ARPA.slice(ARPA.indexOf('\\data')),
      ARPA.replaceAll('\n', ' \t\n \t'),
      ARPA.replaceAll('ngram 1=3', 'ngram \t1 = 3'),
      ARPA.replace('-0.125\ta b', '-0.125\ta b\t0'),
      ARPA.replace('-0.125', '-1.25E-1'),
    ];
    for (const text of variants.flatMap((variant) => [variant, `\ufeff${variant}`])) {
      const model = readArpa(text);
      expect(model.words).toEqual(expected.words);
      const after = model.next(model.start, 1);
      for (const word of [0, 1, 2]) expect(model.logProb(after, word)).toBe(expected.logProb(after, word));
    }
    const bare = readArpa(ARPA.replace('\ta\t-0.25', '\ta'));
    expect(bare.logProb(bare.next(bare.empty, 1), 0)).toBeCloseTo(-Math.LN10, 9);
  });

  it('names what a file is that is no ARPA file', () => {
    const gzip = gzipSync(ARPA).toString('utf8');
    const kenlm = 'mmap lm http://kheafield.com/code format version 5\n\0\0\0';
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      ['', /empty/],
      ['\ufeff \r\n\n', /empty/],
      [kenlm, /KenLM binary/],
      ['SRILM_BINARY_NGRAM_002\n', /SRILM binary/],
      ['blmt 3 1 2 3', /IRSTLM/],
      [gzip, /gzip/],
      [gzipSync(ARPA).toString('latin1'), /gzip/],
      ['BZh91AY', /bzip2/],
      [Buffer.from('fd377a585a00', 'hex').toString('utf8'), /xz/],
      [Buffer.from('28b52ffd00', 'hex').toString('utf8'), /zstd/],
      [Buffer.from(ARPA, 'utf16le').toString('utf8'), /UTF-8/],
      ['<html></html>', /\\data\\/],
      [Buffer.from(ARPA), /object was received/],
      [null, /null was received/],
    ];
    for (const [text, message] of wrong) {
      expect(() => readArpa(text as string)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
      );
    }
  });

  it('stays linear in a line of blanks', () => {
    const blanks = ' '.repeat(1_000_000);
    const model = readArpa(ARPA.replace('-0.125\ta b', `${blanks}-0.125${blanks}a${blanks}b${blanks}`));
    expect(model.logProb(model.next(model.empty, 1), 2)).toBeCloseTo(-0.125 * Math.LN10, 9);
  });
});
