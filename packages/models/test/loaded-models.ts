import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importModel } from '@foretoken/importers';
import { afterAll, beforeAll } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const TRANSLATION: string = at('model-multi30k-en-de/model');
export const SENTENCE = 'A man rides a bicycle along the beach.';

/** A chat model with a template, one that goes on with texts, and one that translates; loaded once for a file of tests. */
export let chat: LoadedModel;
export let prompts: LoadedModel;
export let translation: LoadedModel;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-loaded-'));
  await importModel(at('importers/test/goldens/gguf/llama-byte-level.gguf'), join(folder, 'chat'));
  await importModel(at('models/test/goldens/causal/llama'), join(folder, 'prompts'), { weights: 'float32' });
  chat = await loadModel(join(folder, 'chat'), { probe: false });
  prompts = await loadModel(join(folder, 'prompts'), { probe: false });
  translation = await loadModel(TRANSLATION, { probe: false });
});
afterAll(async () => {
  await Promise.all([chat, prompts, translation].map((model) => model?.dispose()));
  await rm(folder, { recursive: true, force: true });
});
