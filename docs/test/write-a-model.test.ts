import { readFileSync } from 'node:fs';
import { canvasModelConformance, drafterConformance, tokenForestConformance } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { decoded } from '../examples/write-a-model/decode-both.ts';
import { oneShotDrafter } from '../examples/write-a-model/one-shot-drafter.ts';
import { positionWiseModel } from '../examples/write-a-model/position-wise-model.ts';
import { rnnModel } from '../examples/write-a-model/rnn-model.ts';
import { TOKENS, toText, toTokens, VOCABULARY } from '../examples/write-a-model/task.ts';

const runner = { describe, it };
const sources = ['1 2 3', '3 1', '2'].map(toTokens);
const distilled = positionWiseModel(sources.map((source) => [source, source.map((digit) => digit + 6)]));

tokenForestConformance({ runner, name: 'the recurrent network', createModel: () => rnnModel, sources });
canvasModelConformance({ runner, name: 'the position-wise network', createModel: () => distilled, sources });
drafterConformance({
  runner,
  name: 'its drafts',
  createDrafter: () => oneShotDrafter(distilled),
  vocabulary: VOCABULARY,
  sources,
});

const textOf = (name: keyof typeof decoded, row = 0): string => toText(decoded[name].results[row].best.tokenIds);

describe('the textbook’s two models', () => {
  it('write what the page says', () => {
    expect(textOf('greedy')).toBe('one two three');
    expect(textOf('mixed')).toBe('one zwei drei');
    expect(textOf('clean')).toBe('one two three');
    expect(textOf('searched')).toBe('eins zwei drei');
    expect(textOf('greedy', 2)).toBe('two two one');
  });

  it('give greedy’s own tokens where their guesses are checked, in fewer forwards', () => {
    for (const name of ['checkedMixed', 'checkedClean'] as const) {
      for (const row of decoded.greedy.results.keys()) expect(textOf(name, row)).toBe(textOf('greedy', row));
    }
    const forwards = (name: keyof typeof decoded): number => decoded[name].statistics.forwards;
    expect([forwards('greedy'), forwards('checkedMixed'), forwards('checkedClean')]).toEqual([4, 3, 1]);
    expect(forwards('mixed')).toBe(1);
  });

  it('are each under a hundred lines, of a vocabulary that is listed', () => {
    for (const file of ['rnn', 'rnn-model', 'position-wise', 'position-wise-model', 'one-shot-drafter']) {
      const text = readFileSync(new URL(`../examples/write-a-model/${file}.ts`, import.meta.url), 'utf8');
      const lines = text.trimEnd().split('\n');
      expect(lines.length, file).toBeLessThan(100);
      expect(lines.filter(({ length }) => length > 120)).toEqual([]);
    }
    expect(TOKENS).toHaveLength(VOCABULARY.size);
  });
});
