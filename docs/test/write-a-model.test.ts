import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collect, type TokenSource } from '@foretoken/core';
import { GraphSession, RuntimeTimings } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { nat } from '@foretoken/one-shot';
import { speculative } from '@foretoken/speculative';
import { canvasModelConformance, tokenForestConformance } from '@foretoken/testkit';
import * as onnxRuntime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { decoded } from '../examples/write-a-model/decode-both.ts';
import { oneShotDrafter } from '../examples/write-a-model/one-shot-drafter.ts';
import { OnnxNetwork, onnxLogits } from '../examples/write-a-model/onnx-networks.ts';
import { said } from '../examples/write-a-model/open-family.ts';
import { positionWiseModel } from '../examples/write-a-model/position-wise-model.ts';
import { recurrentModel } from '../examples/write-a-model/rnn-model.ts';
import { TOKENS, toText, toTokens, VOCABULARY } from '../examples/write-a-model/task.ts';

const runner = { describe, it };
const sources = ['1 2 3', '3 1', '2'].map(toTokens);
// The suites on both models by hand are in the guide's own models.test.ts.
const fileOf = (name: string): URL => new URL(`../examples/write-a-model/model/${name}`, import.meta.url);
const sessionOf = (name: string): (() => Promise<GraphSession>) => {
  const path = fileURLToPath(fileOf(name));
  const session = GraphSession.create(
    onnxRuntime,
    { path, graph: readFileSync(path) },
    { threads: 1 },
    new RuntimeTimings(),
  );
  return () => session;
};
const step = sessionOf('rnn.onnx');
const trainedRnn = recurrentModel((given) => new OnnxNetwork(given, onnxRuntime, step));
const trainedFill = positionWiseModel(onnxLogits(onnxRuntime, sessionOf('fill.onnx')));
const trainedMixed = positionWiseModel(onnxLogits(onnxRuntime, sessionOf('fill-mixed.onnx')));

tokenForestConformance({
  runner,
  name: 'the recurrent network from PyTorch',
  createModel: () => trainedRnn,
  sources,
  tolerance: 1e-4,
});
canvasModelConformance({
  runner,
  name: 'the position-wise network from PyTorch',
  createModel: () => trainedFill,
  sources,
});

const textOf = (name: keyof typeof decoded, row = 0): string => toText(decoded[name].results[row].best.tokenIds);

/** Every source of up to four digits. */
function everySource(): TokenSource[] {
  const all: number[][] = [[]];
  for (const digits of all) if (digits.length < 4) for (const digit of [3, 4, 5]) all.push([...digits, digit]);
  return all.slice(1).map((digits) => Int32Array.from(digits));
}

describe('the two models from PyTorch', () => {
  const goldens = JSON.parse(readFileSync(fileOf('goldens.json'), 'utf8'));

  it('give what PyTorch gives', async () => {
    const one = [toTokens(goldens.source)];
    const outputs = await Promise.all([
      collect(greedy().decode(trainedRnn, { sources: one })),
      collect(nat().decode(trainedMixed, { sources: one })),
      collect(nat().decode(trainedFill, { sources: one })),
    ]);
    const texts = outputs.map(({ results }) => toText(results[0].best.tokenIds));
    expect(texts).toEqual(
      [goldens.greedy.slice(0, -1), goldens.mixed, goldens.distilled].map((words) => words.join(' ')),
    );
    await using forest = await trainedRnn.open(one);
    const nodes = { row: Int32Array.of(0, 0), parent: Int32Array.of(-1, -2), tokenId: toTokens('<start> one') };
    const { logProbs } = await forest.extend({ ...nodes, scored: Uint8Array.of(0, 1) }, { kind: 'logProbs' });
    for (const [id, value] of goldens.afterOne.entries()) expect(logProbs[id]).toBeCloseTo(value, 3);
  });

  it('write each source as one writer would, and the same whether guessed and checked or not', async () => {
    const every = everySource();
    const plain = await collect(greedy().decode(trainedRnn, { sources: every }));
    for (const model of [trainedFill, trainedMixed]) {
      const checked = await collect(
        speculative({ drafter: oneShotDrafter(model) }).decode(trainedRnn, { sources: every }),
      );
      for (const [row, { best }] of checked.results.entries()) {
        expect(best.tokenIds).toEqual(plain.results[row].best.tokenIds);
        expect(best.tokenIds).toEqual(every[row].map((digit) => digit + 6));
      }
    }
  });

  it('are a family of one’s own, opened from a folder', () => {
    expect(Object.values(said).map(({ text }) => text)).toEqual(['one two three', 'one two three', 'one two three']);
    expect(said.greedy.statistics.forwards).toBe(4);
    expect(said.checked.statistics.forwards).toBe(1);
  });
});

describe('the textbook’s two models', () => {
  it('write what the page says', () => {
    expect(textOf('greedy')).toBe('one two three');
    expect(textOf('mixed')).toBe('one zwei drei');
    expect(textOf('clean')).toBe('one two three');
    expect(textOf('searched')).toBe('eins zwei drei');
    expect(textOf('greedy', 2)).toBe('two two one');
  });

  it('fill the table of the page', () => {
    const page = readFileSync(new URL('../guide/write-a-model.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)`: [^|]+ \| ([a-z ]+?) \| (\d+) \|$/gm)];
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(decoded));
    for (const [, name, text, forwards] of rows) {
      const { results, statistics } = decoded[name as keyof typeof decoded];
      expect([toText(results[0].best.tokenIds), statistics.forwards], name).toEqual([text, Number(forwards)]);
    }
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
    for (const file of [
      'rnn',
      'rnn-model',
      'position-wise',
      'position-wise-model',
      'one-shot-drafter',
      'onnx-networks',
      'digits-family',
    ]) {
      const text = readFileSync(new URL(`../examples/write-a-model/${file}.ts`, import.meta.url), 'utf8');
      const lines = text.trimEnd().split('\n');
      expect(lines.length, file).toBeLessThan(100);
      expect(lines.filter(({ length }) => length > 120)).toEqual([]);
    }
    expect(TOKENS).toHaveLength(VOCABULARY.size);
  });
});
