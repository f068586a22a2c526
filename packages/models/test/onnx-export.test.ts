import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { tokenForestConformance } from '@foretoken/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/index.js';
import { type ExportRow, expectedRows, exportCopy, exportFolder } from './export-folders.js';

const NEW_TOKENS = 20;

/** Every layout that exporters write. */
const LAYOUTS: Readonly<Record<string, { readonly kind: string; readonly folder: string | Promise<string> }>> = {
  'merged, in a folder of its own': { kind: 'marian', folder: exportFolder('marian') },
  'in three graphs': { kind: 'marian', folder: exportCopy('marian', 'onnx/decoder_model_merged.onnx') },
  'in three graphs, beside the config': { kind: 'bart', folder: exportFolder('bart') },
  'merged, with relative positions': { kind: 't5', folder: exportFolder('t5') },
  'a decoder alone, with weights beside it': { kind: 'llama', folder: exportFolder('llama') },
  'a decoder alone, which counts positions in its mask, with padding in prompts': {
    kind: 'opt',
    folder: exportFolder('opt'),
  },
};
/** Decoders alone. */
const CAUSAL = ['llama', 'opt'];

type Target = AutoregressiveModel<TokenSource>;

/** Logits after each of the tokens that a row begins with. */
async function logitsOf(target: Target, { source, fed }: ExportRow, prompts: boolean): Promise<Float32Array> {
  await using forest = await target.open([Int32Array.from(prompts ? fed : source)]);
  const { prefix } = forest.start(0);
  expect(fed.slice(0, prefix.length)).toEqual([...prefix]);
  const tokenId = Int32Array.from(fed);
  const parent = tokenId.map((_, index) => -1 - index);
  return (await forest.extend({ row: new Int32Array(fed.length), parent, tokenId }, { kind: 'logits' })).logits;
}

for (const [layout, { kind, folder }] of Object.entries(LAYOUTS)) {
  const model = await loadModel(await folder, { probe: false, improveGraph: false });
  const rows = await expectedRows(kind);
  const sources: TokenSource[] = rows.map(({ source }) => Int32Array.from(source));
  const target = model.part('autoregressive');
  const request = { sources, maxNewTokens: NEW_TOKENS, seed: 7 };
  const decode = async (decoder: ReturnType<typeof greedy>, given: Partial<typeof request> = {}) =>
    (await collect(decoder.decode(target, { ...request, ...given }))).results;
  const best = async (decoder: ReturnType<typeof greedy>, given?: Partial<typeof request>) =>
    (await decode(decoder, given)).map(({ best: { tokenIds } }) => [...tokenIds]);

  describe(`an export of ${kind}, ${layout}`, () => {
    afterAll(() => model.dispose());

    it('has the logits of transformers to 1e-4, after every token', async () => {
      const { size } = target.vocabulary;
      for (const row of rows) {
        const logits = await logitsOf(target, row, CAUSAL.includes(kind));
        expect(logits.length).toBe(row.logits.length * size);
        for (const [index, value] of row.logits.flat().entries()) {
          // What is never output has no score here.
          if (logits[index] !== Number.NEGATIVE_INFINITY) expect(Math.abs(logits[index] - value)).toBeLessThan(1e-4);
        }
      }
    });

    it('has its greedy outputs, alone and together', async () => {
      const together = await best(greedy());
      for (const [row, { greedy: tokens }] of rows.entries()) {
        expect(together[row]).toEqual(tokens);
        expect(await best(greedy(), { sources: [sources[row]] })).toEqual([together[row]]);
      }
    });

    it('has its n-best lists of a beam of four, scores too', async () => {
      const stopWhen = 'improvement-unlikely';
      const decoder = beamSearch({ beamSize: 4, hypotheses: 4, stopWhen, lengthPenalty: 1 });
      const results = await decode(decoder);
      for (const [row, { beam, scores }] of rows.entries()) {
        const { hypotheses } = results[row];
        expect(hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual(beam);
        for (const [index, score] of scores.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
      }
    });

    it('is the same with drafts, chains and trees of them', async () => {
      const { vocabulary } = target;
      const plain = await best(greedy());
      for (const drafter of [ngramDrafter({ vocabulary }), copyDrafter({ vocabulary, shape: 'tree' })]) {
        expect(await best(speculative({ drafter }))).toEqual(plain);
      }
    });

    it('draws the same of a seed, alone and together', async () => {
      const decoder = sampling({ temperature: 0.8, topP: 0.95 });
      const together = await best(decoder);
      for (const [row, source] of sources.entries()) {
        expect(await best(decoder, { sources: [source] })).toEqual([together[row]]);
      }
    });

    tokenForestConformance({
      runner: { describe, it },
      name: kind,
      createModel: () => target,
      sources,
      tolerance: 2e-5,
      scripts: 4,
    });
  });
}
