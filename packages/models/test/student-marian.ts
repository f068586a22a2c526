import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { importModel } from '@foretoken/importers';
import { afterAll, beforeAll, expect } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { writeTinyCtc, writeTinyMarian } from './tiny-marian.js';

const END = 2;

export const SOURCES = [
  [5, 9, 4, 11, END],
  [7, END],
  [3, 3, 8, 14, 15, 6, 10, 12, END],
].map((ids) => Int32Array.from(ids));

export let model: LoadedModel;
let folders: string[] = [];

beforeAll(async () => {
  const target = join(await mkdtemp(join(tmpdir(), 'foretoken-forest-')), 'model');
  const weights = await writeTinyMarian();
  const ctc = await writeTinyCtc();
  await importModel(weights, target, { weights: 'float32', ctc });
  folders = [weights, ctc, join(target, '..')];
  model = await loadModel(target, { probe: false });
});

afterAll(async () => {
  await model[Symbol.asyncDispose]();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  expect(openSessions()).toBe(0);
  expect(openForests()).toBe(0);
});

export const autoregressive = () => model.part('autoregressive');

export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((max, value, index) => Math.max(max, Math.abs(value - b[index])), 0);
}
