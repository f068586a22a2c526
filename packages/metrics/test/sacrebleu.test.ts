import { readFileSync } from 'node:fs';
import { corpusBleu, corpusChrf, sentenceBleu, tokenize13a } from '@foretoken/metrics';
import { describe, expect, it } from 'vitest';

interface Golden {
  readonly name: string;
  readonly hypotheses: string[];
  readonly references: string[][];
  readonly bleu: number;
  readonly precisions: number[];
  readonly brevityPenalty: number;
  readonly hypothesisLength: number;
  readonly referenceLength: number;
  readonly correct: number[];
  readonly total: number[];
  readonly chrf: Record<string, number>;
  readonly sentenceBleu: number[];
}

const goldens = JSON.parse(readFileSync(new URL('./goldens/sacrebleu.json', import.meta.url), 'utf8')) as {
  readonly tokens: [string, string[]][];
  readonly cases: Golden[];
};

function expectNear(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(1e-9);
}

describe('tokenize13a', () => {
  it.each(goldens.tokens)('splits %j as sacreBLEU does', (text, words) => {
    expect(tokenize13a(text)).toEqual(words);
  });
});

describe.each(goldens.cases)('against sacreBLEU: $name', (golden) => {
  it('has its corpus BLEU, precisions, lengths and counts', () => {
    const actual = corpusBleu(golden.hypotheses, golden.references);
    expectNear(actual.score, golden.bleu);
    expectNear(actual.brevityPenalty, golden.brevityPenalty);
    for (const [index, precision] of golden.precisions.entries()) expectNear(actual.precisions[index], precision);
    expect(actual.hypothesisLength).toBe(golden.hypothesisLength);
    expect(actual.referenceLength).toBe(golden.referenceLength);
    expect(actual.correct).toEqual(golden.correct);
    expect(actual.total).toEqual(golden.total);
  });

  it('has its sentence BLEU on every line', () => {
    for (const [line, score] of golden.sentenceBleu.entries()) {
      const references = golden.references.map((stream) => stream[line]);
      expectNear(sentenceBleu(golden.hypotheses[line], references).score, score);
    }
  });

  it.each(Object.entries(golden.chrf))('has its chrF with orders and beta %s', (key, score) => {
    const [characterOrder, wordOrder, beta] = key.split(',').map(Number);
    const options = { characterOrder: characterOrder, wordOrder: wordOrder, beta: beta };
    expectNear(corpusChrf(golden.hypotheses, golden.references, options), score);
    if (key === '6,0,2') expectNear(corpusChrf(golden.hypotheses, golden.references), score);
  });
});
