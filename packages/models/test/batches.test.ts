import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';

const MODEL = fileURLToPath(new URL('../../model-multi30k-en-de/model', import.meta.url));
const { sources } = JSON.parse(await readFile(new URL('goldens/multi30k-en-de.json', import.meta.url), 'utf8')) as {
  readonly sources: readonly number[][];
};

type Target = AutoregressiveModel<TokenSource>;

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel(MODEL, { probe: false });
});
afterAll(() => model[Symbol.asyncDispose]());

const DECODERS: Readonly<Record<string, Decoder<Target>>> = {
  greedy: greedy(),
  'greedy with rules': greedy({ repetitionPenalty: 1.2, noRepeatNgramSize: 3 }),
  'sampling from the top k': sampling({ topK: 10, hypotheses: 2 }),
  'sampling from the whole vocabulary': sampling({ topP: 0.9 }),
  mirostat: sampling({ mirostat: { surprise: 3 } }),
  'beam search': beamSearch({ beamSize: 4, hypotheses: 4 }),
  'diverse beam search': beamSearch({ beamSize: 4, groups: 2 }),
  'stochastic beam search': stochasticBeam({ beamSize: 3 }),
  'contrastive search': contrastiveSearch({ candidates: 3 }),
};

describe('32 sentences of the shipped model, decoded together, fp32 on CPU', () => {
  for (const [name, decoder] of Object.entries(DECODERS)) {
    it(`${name}: every row gets what it gets alone`, async () => {
      const batch = sources.slice(0, 32).map((ids) => Int32Array.from(ids));
      const decode = async (rows: readonly Int32Array[]): Promise<string[]> => {
        const request = { sources: rows, seed: 5, maxNewTokens: 40 };
        const { results } = await collect(decoder.decode(model.part('autoregressive'), request));
        return results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => tokenIds.join(' ')).join(' | '));
      };
      const together = await decode(batch);
      const alone = [];
      for (const source of batch) alone.push(...(await decode([source])));
      expect(together).toEqual(alone);
    });
  }
});
