import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSessions } from '@foretoken/core/runtime';
import { afterAll, beforeAll, expect } from 'vitest';
import type { RecurrentStepOptions } from '../src/adapters/recurrent/step-options.js';
import { importModel } from '../src/index.js';

export const GOLDENS = fileURLToPath(new URL('./goldens/recurrent', import.meta.url));

export const NAMES = ['gru', 'lstm-additive', 'rnn-relu-before', 'gru-language'];

const before = openSessions();

export let parent: string;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'foretoken-steps-'));
  for (const name of NAMES) await importModel(join(GOLDENS, name), join(parent, name), { weights: 'float32' });
});

afterAll(async () => {
  await rm(parent, { recursive: true });
  expect(openSessions()).toBe(before);
});

export async function optionsOf(name: string): Promise<RecurrentStepOptions> {
  const symbols = JSON.parse(await readFile(join(GOLDENS, name, 'symbols.json'), 'utf8'));
  const encoder = name.endsWith('language') ? undefined : join(parent, name, 'encoder.onnx');
  return { encoder, symbols, startTokenId: 1, endTokenId: 2, maxLength: 24 };
}
