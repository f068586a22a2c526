import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { nodeInBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';

/** Written by apps/distill/make_goldens.py with Hugging Face `MarianMTModel` on the shipped model's weights. */
interface Goldens {
  readonly sources: readonly number[][];
  readonly greedy: readonly number[][];
  readonly logits: readonly {
    readonly tokenIds: readonly number[][];
    readonly logits: readonly number[][];
    readonly logSumExp: readonly number[];
  }[];
}

const MODEL = fileURLToPath(new URL('../../model-multi30k-en-de/model', import.meta.url));
const GOLDENS = new URL('goldens/multi30k-en-de.json', import.meta.url);

let model: LoadedModel;
let goldens: Goldens;

beforeAll(async () => {
  goldens = JSON.parse(await readFile(GOLDENS, 'utf8')) as Goldens;
  model = await loadModel(MODEL, { probe: false });
});

afterAll(() => model[Symbol.asyncDispose]());

const target = (): AutoregressiveModel<TokenSource> => model.part('autoregressive');

describe('the shipped model against Hugging Face on the same weights, fp32 on CPU', () => {
  it('has the same greedy tokens on 200 sentences, alone and in batches', async () => {
    expect(goldens.sources.length).toBe(200);
    const sources = goldens.sources.map((ids) => Int32Array.from(ids));
    for (const [index, source] of sources.entries()) {
      const { results } = await collect(greedy().decode(target(), { sources: [source], maxNewTokens: 99 }));
      expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])], `sentence ${index}`).toEqual(goldens.greedy[index]);
    }
    for (let begin = 0; begin < sources.length; begin += 32) {
      const { results } = await collect(
        greedy().decode(target(), { sources: sources.slice(begin, begin + 32), maxNewTokens: 99 }),
      );
      for (const { row, hypotheses } of results) {
        expect([...(hypotheses[0]?.tokenIds ?? [])], `sentence ${begin + row}`).toEqual(goldens.greedy[begin + row]);
      }
    }
  });

  it('has the same logits to 1e-4', async () => {
    const { size } = target().vocabulary;
    let largest = 0;
    for (const [index, golden] of goldens.logits.entries()) {
      const forest = await target().open([Int32Array.from(goldens.sources[index])]);
      try {
        const path = [...forest.start(0).prefix, ...goldens.greedy[index]];
        const { logits } = await forest.extend(
          {
            row: new Int32Array(path.length),
            parent: Int32Array.from(path, (_, node) => (node === 0 ? ROOT : nodeInBatch(node - 1))),
            tokenId: Int32Array.from(path),
          },
          { kind: 'logits' },
        );
        for (const [node, tokenIds] of golden.tokenIds.entries()) {
          const row = logits.subarray(node * size, (node + 1) * size);
          for (const [place, tokenId] of tokenIds.entries()) {
            const expected = golden.logits[node]?.[place];
            largest = Math.max(largest, Math.abs(row[tokenId] - expected));
          }
          const max = row.reduce((a, b) => Math.max(a, b));
          const logSumExp = max + Math.log(row.reduce((sum, value) => sum + Math.exp(value - max), 0));
          largest = Math.max(largest, Math.abs(logSumExp - golden.logSumExp[node]));
        }
      } finally {
        await forest[Symbol.asyncDispose]();
      }
    }
    expect(goldens.logits.length).toBeGreaterThan(0);
    expect(largest).toBeLessThan(1e-4);
  });
});
