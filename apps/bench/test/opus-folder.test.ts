import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../packages/models/test/folder-fixtures.js';
import { type MarianSizes, marianTensors, OPUS_MT } from '../src/opus/marian-shapes.js';
import { writeWeightsFolder } from '../src/opus/write-weights-folder.js';

const SMALL: MarianSizes = { vocabularySize: 300, width: 16, heads: 2, feedForward: 24, layers: 2, positions: 32 };

test('a made-up Marian folder is imported, loaded and decodes text', async () => {
  const parent = await temporaryFolder();
  const bytes = await writeWeightsFolder(join(parent, 'weights'), SMALL);
  expect(bytes).toBe(4 * countOf(SMALL));
  await importModel(join(parent, 'weights'), join(parent, 'model'));
  await using model = await loadModel(join(parent, 'model'), { probe: false });
  expect([...model.tokenizer.encode('bade 7!')].at(-1)).toBe(0);
  expect(model.tokenizer.countUnknown(model.tokenizer.encode('bade 7!'))).toBe(0);
  const { tokenIds } = await model.decode('bade bi', greedy(), { maxNewTokens: 6 });
  expect(tokenIds).not.toContain(SMALL.vocabularySize - 1);
});

test('the same seed gives the same weights, another one others', async () => {
  const parent = await temporaryFolder();
  const weights = async (name: string, seed: number) => {
    await writeWeightsFolder(join(parent, name), SMALL, seed);
    return readFile(join(parent, name, 'model.safetensors'));
  };
  const [first, again, other] = [await weights('a', 1), await weights('b', 1), await weights('c', 2)];
  expect(first.equals(again)).toBe(true);
  expect(first.equals(other)).toBe(false);
});

test('OPUS-MT has 74 million weights', () => {
  expect(countOf(OPUS_MT)).toBe(73_944_309);
});

function countOf(sizes: MarianSizes): number {
  return Object.values(marianTensors(sizes)).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
