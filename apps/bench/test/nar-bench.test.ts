import { ForetokenError } from '@foretoken/core';
import { type LoadedModel, ModelParts } from '@foretoken/models';
import { randomCanvasScore, randomScriptedModel, scriptedCanvasModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { chooseRows, narBench } from '../src/nar-bench.js';
import type { NarModels } from '../src/nar-models.js';
import { NAR_STRATEGIES } from '../src/nar-strategies.js';
import { narTable } from '../src/nar-table.js';
import type { TestSet } from '../src/test-sets.js';

/** Benches decode token ids. */
const NO_TEXT = {} as Pick<
  LoadedModel,
  'decode' | 'stream' | 'speculation' | 'dispose' | 'description' | 'processor' | 'part'
>;

const SIZE = 14;
const LETTERS = 'abcdefghijkl';

/** A teacher and a canvas student that are functions; texts are letters, 0 ends an output and the last id is the mask. */
function model(): LoadedModel {
  const parts = new ModelParts([
    { kind: 'autoregressive', model: randomScriptedModel({ seed: 1, vocabularySize: SIZE, maxLength: 12 }) },
    {
      kind: 'canvas',
      model: scriptedCanvasModel({
        vocabularySize: SIZE,
        score: randomCanvasScore({ seed: 2, vocabularySize: SIZE, never: [0, SIZE - 1] }),
        lengths: () => [Number.NEGATIVE_INFINITY, 0, 1, 2, 3, 4, 5],
      }),
    },
  ]);
  return {
    folder: '/models/scripted',
    manifest: { family: 'scripted' } as LoadedModel['manifest'],
    threads: 1,
    timings: { runs: 0, milliseconds: 0, reset: () => {} },
    find: (kind, which) => parts.find(kind, which),
    tokenizer: {
      encode: (text) => Int32Array.from([...Array.from(text, (letter) => LETTERS.indexOf(letter) + 1), 0]),
      decode: (tokenIds) => Array.from(tokenIds, (id) => LETTERS[id - 1]).join(' '),
      tokenText: (id) => LETTERS[id - 1],
      countUnknown: () => 0,
    },
    ...NO_TEXT,
    [Symbol.asyncDispose]: async () => {},
  };
}

const models = (): NarModels => ({
  loaded: { shipped: model() },
  threads: 1,
  [Symbol.asyncDispose]: async () => {},
});

const testSet: TestSet = {
  name: 'letters',
  sources: ['abc', 'bca', 'ddd', 'efgh', 'lk'],
  references: ['cba', 'acb', 'dd', 'hgfe', 'kl'],
};

describe('the bench', () => {
  it('measures every row there is a model for, and lists the others', async () => {
    const two = { ...testSet, sources: testSet.sources.slice(0, 2), references: testSet.references.slice(0, 2) };
    const report = await narBench(models(), two, { repeats: 1 });
    expect(report.failed).toEqual([]);
    const measured = report.rows.map(({ strategy }) => strategy);
    const missing = report.missing.map(({ strategy }) => strategy);
    expect([...measured, ...missing].sort()).toEqual(NAR_STRATEGIES.map(({ name }) => name).sort());
    for (const name of [
      'greedy',
      'beam4',
      'nat-lengths-5-rescored',
      'mask-predict-10',
      'masked-diffusion-one-a-step',
    ]) {
      expect(measured).toContain(name);
    }
    expect(report.missing).toContainEqual({
      strategy: 'dag-beam-ngrams',
      model: 'shipped',
      lacks: ['dag', 'languageModel'],
    });
    expect(report.missing).toContainEqual({ strategy: 'ctc-raw', model: 'raw', lacks: [] });
    expect(report).toMatchObject({ sentences: 2, batch: { size: 2, batches: 1 }, testSet: 'letters' });
  });

  it('gives each row its figures, and the same outputs in a batch', async () => {
    const report = await narBench(models(), testSet, { repeats: 1, strategies: ['mask-predict-4', 'nat'] });
    const [greedy, , nat, refined] = report.rows;
    expect(report.rows.map(({ strategy }) => strategy)).toEqual(['greedy', 'beam4', 'nat', 'mask-predict-4']);
    expect(report.missing).toEqual([]);
    expect(report.rows.every(({ identicalBatched }) => identicalBatched === 1)).toBe(true);
    expect(greedy?.timesGreedy?.alone).toEqual({ median: 1, p10: 1, p90: 1 });
    expect(nat?.forwardsPerSentence).toBe(1);
    expect(refined?.forwardsPerSentence).toBe(4);
    expect(Object.keys(report.diagnosis)).toEqual(['references', 'greedy', 'beam4', 'nat']);
    expect(report.diagnosis.nat?.disagreement?.positions).toBeGreaterThan(0);
    expect(report.remedies.map(({ strategy }) => strategy)).toEqual(['mask-predict-4']);
  });

  it('is one JSON object, and a table for people', async () => {
    const report = await narBench(models(), testSet, { repeats: 1, strategies: ['nat', 'ctc-greedy'] });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    const lines = narTable(report).split('\n');
    expect(lines.find((line) => line.startsWith('nat '))).toMatch(/^nat +\d+\.\d\d +\d+\.\d\d/);
    expect(lines).toContain('  ctc-greedy  shipped lacks lattice');
  });

  it('refuses a name that no row has before anything is measured', () => {
    expect(() => chooseRows(['nat', 'magic'])).toThrow(ForetokenError);
    expect(() => chooseRows(['nat', 'magic'])).toThrow(/There is no row magic\. Rows: greedy, beam4/);
    expect(chooseRows(undefined)).toBe(NAR_STRATEGIES);
    expect(chooseRows(['nat']).map(({ name }) => name)).toEqual(['greedy', 'beam4', 'nat']);
  });

  it('has rows of different names, baselines first', () => {
    const names = NAR_STRATEGIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(0, 2)).toEqual(['greedy', 'beam4']);
  });
});
