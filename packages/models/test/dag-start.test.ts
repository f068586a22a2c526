import { fileURLToPath } from 'node:url';
import { collect, type TokenSource } from '@foretoken/core';
import {
  type DagBeamOptions,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
} from '@foretoken/one-shot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';

const FOLDER = fileURLToPath(new URL('../../model-multi30k-en-de/model', import.meta.url));
const TEXTS = ['A man rides a bike.', 'Two dogs play in the snow.', 'A woman in a red coat is singing on a stage.'];

let model: LoadedModel;
let sources: readonly TokenSource[];
beforeAll(async () => {
  model = await loadModel(FOLDER, { probe: false });
  sources = TEXTS.map((text) => model.tokenizer.encode(text));
});
afterAll(() => model[Symbol.asyncDispose]());

describe('the token that begins every path of the shipped DAG student', () => {
  it.each([
    ['dagGreedy', dagGreedy],
    ['dagLookahead', dagLookahead],
    ['dagViterbi', dagViterbi],
    ['dagJointViterbi', dagJointViterbi],
    ['dagBeam', dagBeam],
    ['dagSampling', dagSampling],
  ] as const)('is left out by %s without being told, as when it is told', async (_, make) => {
    const dag = model.part('lattice', { lattice: 'dag' });
    const { startTokenId } = dag;
    expect(startTokenId).toBeTypeOf('number');
    const decoded = async (options: DagBeamOptions) => {
      const { results } = await collect(make<TokenSource>(options).decode(dag, { sources, seed: 3 }));
      return results;
    };
    const found = await decoded({});
    for (const { hypotheses } of found) {
      for (const { tokenIds } of hypotheses) expect(tokenIds).not.toContain(startTokenId);
    }
    expect(found).toEqual(await decoded({ startTokenId }));
  });
});
