import { readFileSync } from 'node:fs';
import { type ChrfOptions, sentenceBleu, sentenceChrf } from '@foretoken/metrics';
import { describe, expect, it } from 'vitest';

interface Goldens {
  readonly sacrebleu: string;
  readonly lines: string[];
  /** `[hypothesis][reference]`. */
  readonly bleu: number[][];
  /** By character order, word order and beta. */
  readonly chrf: Record<string, number[][]>;
  readonly severalReferences: {
    readonly references: string[];
    readonly bleu: number[];
    readonly chrf: Record<string, number[]>;
  };
}

const goldens = JSON.parse(
  readFileSync(new URL('./goldens/sentence-metrics.json', import.meta.url), 'utf8'),
) as Goldens;
const { lines, severalReferences } = goldens;

/** Compares a score with each pair's golden; the lines of a pair stand in the message. */
function expectPairs(score: (hypothesis: string, reference: string) => number, expected: number[][]): void {
  expect(expected.length).toBe(lines.length);
  for (const [row, hypothesis] of lines.entries()) {
    for (const [column, reference] of lines.entries()) {
      const [actual, golden] = [score(hypothesis, reference), expected[row][column]];
      const message = `${JSON.stringify([hypothesis, reference])}: ${actual} against ${golden}`;
      expect(Math.abs(actual - golden), message).toBeLessThanOrEqual(1e-9);
    }
  }
}

function optionsOf(key: string): ChrfOptions {
  const [characterOrder, wordOrder, beta] = key.split(',').map(Number);
  return { characterOrder: characterOrder, wordOrder: wordOrder, beta: beta };
}

describe(`against sacreBLEU ${goldens.sacrebleu}, one line at a time`, () => {
  it('has its BLEU of every pair', () => {
    expectPairs((hypothesis, reference) => sentenceBleu(hypothesis, reference).score, goldens.bleu);
  });

  it.each(Object.keys(goldens.chrf))('has its chrF of every pair with orders and beta %s', (key) => {
    expectPairs((hypothesis, reference) => sentenceChrf(hypothesis, reference, optionsOf(key)), goldens.chrf[key]);
  });

  it('computes chrF2 unless told otherwise', () => {
    expectPairs(sentenceChrf, goldens.chrf['6,0,2']);
  });

  it('has its scores against several references', () => {
    for (const [line, hypothesis] of lines.entries()) {
      const bleu = sentenceBleu(hypothesis, severalReferences.references).score;
      expect(bleu).toBeCloseTo(severalReferences.bleu[line], 9);
      for (const [key, scores] of Object.entries(severalReferences.chrf)) {
        const chrf = sentenceChrf(hypothesis, severalReferences.references, optionsOf(key));
        expect(chrf).toBeCloseTo(scores[line], 9);
      }
    }
  });

  it('takes a string for an array of one reference', () => {
    for (const reference of lines) {
      expect(sentenceBleu('a b c', reference)).toEqual(sentenceBleu('a b c', [reference]));
      expect(sentenceChrf('a b c', reference)).toBe(sentenceChrf('a b c', [reference]));
    }
  });

  it('refuses references that are no strings, also an array of holes longer than memory', () => {
    for (const references of [new Array<string>(1e9), ['a', 1 as never], [['a'] as never]]) {
      for (const score of [sentenceBleu, sentenceChrf]) {
        expect(() => score('a', references)).toThrowError(expect.objectContaining({ code: 'INVALID_LINES' }));
      }
    }
  });
});
