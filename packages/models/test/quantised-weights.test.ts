import { collect, type OutputRequest, type TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { causalFolder } from './causal-fixtures.js';
import { codeOf, imported, weightsOf } from './student-fixtures.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

const START = TINY.vocabularySize - 1;
const SOURCES: readonly TokenSource[] = [
  [5, 9, 4, 11, 2],
  [7, 2],
  [3, 3, 8, 14, 15, 6, 10, 12, 2],
].map((ids) => Int32Array.from(ids));
const PATH = [START, 4, 5, 6, 9, 9, 3, 17, 8, 20];

const PROMPTS = [
  [39, 12, 30, 7],
  [39, 9],
  [39, 31, 5, 17, 14, 8],
].map((ids) => Int32Array.from(ids));
const CONTINUED = [4, 5, 6, 9, 9, 3, 17, 8, 20];

/** Logits along a path, `width` nodes a forward. */
async function logitsOf(model: LoadedModel, source: TokenSource, path: readonly number[], width: number) {
  const autoregressive = model.part('autoregressive');
  await using forest = await autoregressive.open([source]);
  const { prefix, cached, node } = forest.start(0);
  const chain = node === ROOT ? [...prefix.subarray(cached), ...path.slice(prefix.length - cached)] : [...path];
  const output: OutputRequest & { readonly kind: 'logits' } = { kind: 'logits' };
  const all: number[] = [];
  let parent = node;
  for (let begin = 0; begin < chain.length; begin += width) {
    const nodes = new NodeBatch();
    const last = nodes.addChain(0, parent, chain.slice(begin, begin + width), 'all');
    const { firstNode, logits } = await forest.extend(nodes, output);
    parent = nodeIdOf(last, firstNode);
    all.push(...logits);
  }
  return Float32Array.from(all);
}

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const FOLDERS = {
  'an encoder-decoder, a graph for each head': {
    folder: async (weights: 'float32' | 'int8' | 'int4') =>
      imported(await writeTinyMarian(), { weights, stepLayout: 'heads' }),
    sources: SOURCES,
    path: PATH,
  },
  'an encoder-decoder, body and vocabulary': {
    folder: async (weights: 'float32' | 'int8' | 'int4') =>
      imported(await writeTinyMarian(), { weights, stepLayout: 'body' }),
    sources: SOURCES,
    path: PATH,
  },
  'a decoder-only model': {
    folder: (weights: 'float32' | 'int8' | 'int4') => causalFolder('llama', { weights }),
    sources: PROMPTS,
    path: CONTINUED,
  },
  'a decoder-only model whose matrices lie the other way': {
    folder: (weights: 'float32' | 'int8' | 'int4') => causalFolder('gpt2', { weights }),
    sources: PROMPTS,
    path: CONTINUED,
  },
};

describe.each(Object.entries(FOLDERS))('%s', (_, { folder, sources, path }) => {
  it.each(['int8', 'int4'] as const)('in %s scores near fp32, and alike at every width', async (weights) => {
    await using exact = await loadModel(await folder('float32'), { probe: false });
    await using small = await loadModel(await folder(weights), { probe: false });
    for (const source of sources) {
      const wanted = await logitsOf(exact, source, path, 16);
      const near = await logitsOf(small, source, path, 16);
      // Something was rounded, and not much: wrong blocks would differ by as much as the scores themselves.
      const error = rootMeanSquare(near.map((value, index) => value - wanted[index])) / rootMeanSquare(wanted);
      expect(error).toBeGreaterThan(0);
      expect(error, `${error}`).toBeLessThan(weights === 'int8' ? 0.12 : 0.8);
      for (const width of [1, 2, 3]) expect(await logitsOf(small, source, path, width)).toEqual(near);
    }
  });

  it.each(['int8', 'int4'] as const)(
    'in %s speculation gives what greedy gives, alone and in a batch',
    async (weights) => {
      await using model = await loadModel(await folder(weights), { probe: false });
      const autoregressive = model.part('autoregressive');
      const drafted = speculative({
        drafter: ngramDrafter({ vocabulary: autoregressive.vocabulary }),
        shape: 'chain',
      });
      const request = { sources, maxNewTokens: 24 };
      const together = await collect(greedy().decode(autoregressive, request));
      const speculated = await collect(drafted.decode(autoregressive, request));
      for (const [row, source] of sources.entries()) {
        const alone = await collect(greedy().decode(autoregressive, { ...request, sources: [source] }));
        expect(together.results[row].best.tokenIds).toEqual(alone.results[0].best.tokenIds);
        expect(speculated.results[row].best.tokenIds).toEqual(alone.results[0].best.tokenIds);
      }
    },
  );
});

it('says in the manifest how weights are stored', async () => {
  await using model = await loadModel(await FOLDERS['a decoder-only model'].folder('int8'), { probe: false });
  expect(model.manifest.training).toMatchObject({ weights: 'int8' });
});

it.each(['int8', 'int4'] as const)('a masked language model refuses %s', async (weights) => {
  const folder = await weightsOf('masked-lm');
  expect(await codeOf(() => imported(folder, { weights }))).toBe('INVALID_ARGUMENT');
});
