import { readFile } from 'node:fs/promises';
import { type LoadedModel, ModelParts } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { scriptedCorrector, simpleCorrection } from '../../../packages/correction/test/scripted-corrector.js';
import { misspelt, realMisspellings } from '../src/correction/misspellings.js';
import { nearestWordCorrector } from '../src/correction/nearest-word.js';
import * as scores from '../src/correction/scores.js';
import { waysOf } from '../src/correction/ways.js';
import { correctionBench } from '../src/correction-bench.js';
import { readCorrectionTests } from '../src/correction-tests.js';

describe('scores of corrections', () => {
  it('are those of the recipe', async () => {
    const path = new URL('goldens/correction-scores.json', import.meta.url);
    const golden = JSON.parse(await readFile(path, 'utf8')) as Record<string, number>;
    const { good, typed, bare } = await readCorrectionTests(golden.count);
    const triples = (sources: readonly string[]): scores.Triple[] =>
      sources.map((source, index) => {
        const [a, b] = [good[index].split(' '), source.split(' ')];
        const middle = Math.floor(a.length / 2);
        return { source, target: good[index], output: [...a.slice(0, middle), ...b.slice(middle)].join(' ') };
      });
    const [asTyped, asBare] = [triples(typed), triples(bare)];
    const { precision, recall, f05 } = scores.editScores(asTyped);
    const found = {
      precision,
      recall,
      f05,
      restored: scores.restored(asTyped),
      falseChanges: scores.falseChanges(
        asTyped.map(({ target }) => target),
        asTyped.map(({ output }) => output),
      ),
      fullStops: scores.markScore(asBare, '.'),
      commas: scores.markScore(asBare, ','),
      capitals: scores.capitalsScore(asBare),
    };
    for (const [name, value] of Object.entries(found)) expect(value, name).toBeCloseTo(golden[name], 9);
  });

  it('count a thing as copied where it comes out as often as it went in', () => {
    const placed = [
      ['see a1 and a1', 'number', 'a1'],
      ['see b2', 'number', 'b2'],
      ['see x/y', 'link', 'x/y'],
    ] as const;
    const outputs = new Map([
      ['see a1 and a1', 'See a1.'],
      ['see b2', 'See b2.'],
      ['see x/y', 'See x/y.'],
    ]);
    expect(scores.copied(placed, outputs)).toEqual({ all: 2 / 3, link: 1, number: 0.5 });
  });
});

describe('what the bench compares with', () => {
  it('misspellings that people made, put into lines by a fixed rule', async () => {
    const list = await realMisspellings();
    expect(list.get('definitely')?.length).toBeGreaterThan(5);
    const lines = ['Definitely received, 1 a.', 'Xq zz.'];
    const [pair, ...others] = misspelt(lines, list);
    expect(others).toEqual([]);
    expect(pair.target).toBe(lines[0]);
    expect(pair.source).toMatch(/^[A-Z][a-z]+ [a-z]+, 1 a\.$/);
    expect(pair.source).not.toBe(pair.target);
    expect(misspelt(lines, list)).toEqual([pair]);
  });

  it('the nearest word, the most frequent of several', () => {
    const correct = nearestWordCorrector();
    expect(correct('Thxe peoplle, and qqqqqqqq at x.y')).toBe('The people, and qqqqqqqq at x.y');
  });
});

describe('the bench', () => {
  it('has a row a way, and the product beside them', async () => {
    const { autoregressive, tokenizer } = scriptedCorrector(simpleCorrection);
    // Costs by which long drafts do not pay.
    const costs = { milliseconds: (rows: number, nodes: number) => rows * (1 + 0.3 * nodes) };
    const measured = { ...autoregressive, costs };
    const parts = new ModelParts([{ kind: 'autoregressive', model: measured }]);
    const model = {
      part: parts.part.bind(parts),
      find: parts.find.bind(parts),
      tokenizer: { ...tokenizer, countUnknown: () => 0 },
      manifest: { name: 'scripted' },
      threads: 1,
    } as unknown as LoadedModel;
    const text = 'The cat and the dog sat on the mat of teh wrold there';
    const tests = {
      good: ['The cat sat on the mat.', 'The world.'],
      typed: ['Teh cat sat on teh mat.', text],
      bare: ['the cat sat on the mat', 'the world'],
      joined: [['the cat the dog', 'The cat. The dog.']],
      copied: [['A link to https://teh.example/a here', 'link', 'https://teh.example/a']],
      foreign: ['Der Hund teh.', 'Ein Mann.'],
    } as const;
    const report = await correctionBench(model, tests, [{ source: 'teh cat.', target: 'The cat.' }], { repeats: 1 });
    expect(Object.keys(report.strategies as object)).toEqual([
      'greedy',
      'beam4',
      'speculative-copy',
      'product',
      'ceiling',
    ]);
    expect(report).toMatchObject({
      bench: 'correction',
      lines: 2,
      timedSentences: 1,
      restored: { misspellings: { restored: 1 } },
      falseChanges: 0,
      foreignChanges: 0.2,
      copied: { link: 1, all: 1 },
      fullStops: 1,
      identical: 1,
    });
    const { strategies } = report as { strategies: Record<string, Record<string, number>> };
    expect(strategies.greedy.copied).toEqual({ all: 0, link: 0 });
    expect(strategies.ceiling.forwardsPerSentence).toBeLessThanOrEqual(
      strategies['speculative-copy'].forwardsPerSentence,
    );
    expect(strategies['speculative-copy'].forwardsPerSentence).toBeLessThan(strategies.greedy.forwardsPerSentence);
    // Perfect drafts are verified whole, whatever a busy machine's measured costs say.
    const { acceptedPerSentence, evaluatedPerSentence, forwardsPerSentence, tokensPerSentence } = strategies.ceiling;
    expect([forwardsPerSentence, acceptedPerSentence, evaluatedPerSentence]).toEqual([
      1,
      tokensPerSentence,
      tokensPerSentence,
    ]);
    expect(strategies.greedy).not.toHaveProperty('evaluatedPerSentence');
  });

  it('refuses a folder that cannot decode token by token', () => {
    const parts = new ModelParts([]);
    const model = { part: parts.part.bind(parts), find: parts.find.bind(parts) } as unknown as LoadedModel;
    expect(() => waysOf(model)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_CAPABILITY' }));
  });
});
