import { corpusBleu, corpusChrf, MetricsError, sentenceBleu, sentenceChrf, tokenize13a } from '@foretoken/metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(MetricsError);
    return (error as MetricsError).code;
  }
  throw new Error('nothing was thrown');
}

const LINE = fc.array(fc.constantFrom('ein', 'Mann', 'läuft', '.', '3,5', '-', '🎉', 'auf'), { maxLength: 9 });
const CORPUS = fc.array(
  LINE.map((words) => words.join(' ')),
  { minLength: 1, maxLength: 6 },
);

describe('bad input', () => {
  it.each([
    ['corpusBleu', corpusBleu],
    ['corpusChrf', corpusChrf],
  ] as const)('%s refuses an empty corpus, no references and uneven streams', (_name, score) => {
    expect(codeOf(() => score([], [[]]))).toBe('EMPTY_CORPUS');
    expect(codeOf(() => score(['a'], []))).toBe('NO_REFERENCES');
    expect(codeOf(() => score(['a', 'b'], [['a', 'b'], ['a']]))).toBe('LINE_COUNT_MISMATCH');
    expect(codeOf(() => score(['a'], [['a', 'b']]))).toBe('LINE_COUNT_MISMATCH');
  });

  it('says which stream is uneven and by how much', () => {
    try {
      corpusBleu(['a', 'b'], [['a', 'b'], ['a']]);
      expect.unreachable();
    } catch (error) {
      expect((error as MetricsError).details).toEqual({ stream: 1, received: 1, required: 2 });
    }
  });

  it('refuses a sentence without references and orders that mean nothing', () => {
    expect(codeOf(() => sentenceBleu('a', []))).toBe('NO_REFERENCES');
    expect(codeOf(() => sentenceChrf('a', []))).toBe('NO_REFERENCES');
    expect(codeOf(() => sentenceChrf('a', 'a', { beta: 0 }))).toBe('INVALID_OPTION');
    expect(codeOf(() => corpusChrf(['a'], [['a']], { characterOrder: 0 }))).toBe('INVALID_OPTION');
    expect(codeOf(() => corpusChrf(['a'], [['a']], { wordOrder: 1.5 }))).toBe('INVALID_OPTION');
    expect(codeOf(() => corpusChrf(['a'], [['a']], { beta: Number.NaN }))).toBe('INVALID_OPTION');
  });
});

describe('laws', () => {
  it('keeps both scores between 0 and 100', () => {
    fc.assert(
      fc.property(CORPUS, CORPUS, (left, right) => {
        const lines = Math.min(left.length, right.length);
        const [hypotheses, references] = [left.slice(0, lines), [right.slice(0, lines)]];
        for (const score of [corpusBleu(hypotheses, references).score, corpusChrf(hypotheses, references)]) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(100 + 1e-9);
        }
      }),
    );
  });

  it('does not depend on the order of lines', () => {
    fc.assert(
      fc.property(CORPUS, CORPUS, (left, right) => {
        const lines = Math.min(left.length, right.length);
        const [hypotheses, references] = [left.slice(0, lines), right.slice(0, lines)];
        const forwards = corpusBleu(hypotheses, [references]).score;
        expect(corpusBleu(hypotheses.reverse(), [references.reverse()]).score).toBeCloseTo(forwards, 9);
      }),
    );
  });

  it('gains nothing and loses nothing by a reference given twice', () => {
    fc.assert(
      fc.property(CORPUS, (lines) => {
        const hypotheses = lines.map((line) => line.replace('Mann', 'auf'));
        expect(corpusBleu(hypotheses, [lines, lines]).score).toBe(corpusBleu(hypotheses, [lines]).score);
        expect(corpusChrf(hypotheses, [lines, lines])).toBe(corpusChrf(hypotheses, [lines]));
      }),
    );
  });

  it('tokenizes a tokenized line to itself', () => {
    fc.assert(
      fc.property(LINE, (words) => {
        const once = tokenize13a(words.join(' '));
        expect(tokenize13a(once.join(' '))).toEqual(once);
      }),
    );
  });
});

it('takes time linear in the line on input made to backtrack', () => {
  // Quadratic matching would run for a quarter of an hour here.
  for (const pattern of ['.', ' ', '-1', '1,', '&amp', '<skipped', '\u3000']) {
    const line = pattern.repeat(1_000_000 / pattern.length);
    expect(tokenize13a(`a${line}b`).length).toBeGreaterThan(0);
    expect(corpusBleu([line], [['a b']]).score).toBe(0);
  }
});
