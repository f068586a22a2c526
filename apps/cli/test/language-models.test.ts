import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { services } from '../src/services.js';
import { cli } from './support.js';

const GGUF = fileURLToPath(
  new URL('../../../packages/importers/test/goldens/gguf/llama-byte-level.gguf', import.meta.url),
);
const WEIGHTS = fileURLToPath(new URL('../../../packages/models/test/goldens/causal/mistral', import.meta.url));
const ARCHIVE = fileURLToPath(new URL('../../../packages/importers/test/goldens/recurrent/gru', import.meta.url));
const { importModel, inspectWeights, openModelFolder, loadModel, describeModel } = services;
const real = { services: { importModel, inspectWeights, openModelFolder, loadModel, describeModel } };

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
  model = join(folder, 'model');
  const { code, stdout, stderr } = await cli(['import', GGUF, '--out', model], real);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain('causal-lm, format version 1');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('inspect', () => {
  it('says of a GGUF file what it is, what it can do, and how to use it', async () => {
    const { code, stdout } = await cli(['inspect', GGUF], real);
    expect(code).toBe(0);
    for (const fact of [
      '2 layers, width 32, 4 heads, 2 of keys and values',
      'by its template',
      'greedy, sampling, beam, speculative (drafts from copy or ngram)',
      `foretoken import ${GGUF} --out my-model`,
    ]) {
      expect(stdout).toContain(fact);
    }
    for (const type of ['Q8_0', 'Q4_0', 'Q4_1', 'F16', 'F32']) {
      expect(stdout).toMatch(new RegExp(`format +gguf, .*${type}`));
    }
  });

  it('says of a weights folder what the model here does not do as its config says', async () => {
    const { code, stdout } = await cli(['inspect', WEIGHTS], real);
    expect(code).toBe(0);
    expect(stdout).toContain('safetensors, F32');
    expect(stdout).toContain('note: config.json has sliding_window = 48.');
    const json = await cli(['inspect', WEIGHTS, '--json'], real);
    expect(JSON.parse(json.stdout)).toMatchObject({
      format: 'safetensors',
      manifest: { family: 'causal-lm', limits: { targetLength: 48 } },
    });
  });

  it('says of a folder with an archive of numpy what it is', async () => {
    const facts = { format: 'npz', elementTypes: ['F32'], manifest: { family: 'recurrent' } };
    for (const location of [ARCHIVE, pathToFileURL(ARCHIVE).href]) {
      const { code, stdout } = await cli(['inspect', location, '--json'], real);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject(facts);
    }
    const { code, stderr } = await cli(['inspect', 'file://%2f/'], real);
    expect(code).not.toBe(0);
    expect(stderr).toContain('file: URL');
  });

  it.each(['float16', 'float32', 'int8', 'int4'])(
    'says of a model folder that its weights are in %s',
    async (weights) => {
      const target = join(folder, weights);
      const imported = await cli(['import', GGUF, '--out', target, '--weights', weights], real);
      expect(imported.code).toBe(0);
      expect(imported.stdout).toMatch(new RegExp(`^weights +${weights}$`, 'm'));
      expect((await cli(['inspect', target], real)).stdout).toMatch(new RegExp(`^weights +${weights}$`, 'm'));
      const json = await cli(['inspect', target, '--json'], real);
      expect(JSON.parse(json.stdout)).toMatchObject({ manifest: { training: { weights } } });
    },
  );

  it('says of a model folder that it chats', async () => {
    const { stdout } = await cli(['inspect', model], real);
    expect(stdout).toMatch(/chat +by its template/);
  });
});

describe('decode', () => {
  const decode = (...words: string[]) =>
    cli(['decode', '--model', model, '--max-new-tokens', '5', '--json', ...words], real);

  it('takes a text as a prompt, and with --chat as a message', async () => {
    const answers: unknown[] = [];
    for (const words of [[], ['--chat'], ['--chat', '--system', 'Rhyme.']]) {
      const { code, stdout, stderr } = await decode('--text', 'hello', ...words);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const { rows } = JSON.parse(stdout) as { readonly rows: readonly { readonly tokenIds: unknown }[] };
      answers.push(rows[0].tokenIds);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(3);
  });

  it('refuses --system without --chat, and --chat of a model that does not', async () => {
    expect((await decode('--text', 'hello', '--system', 'x')).code).toBe(2);
    const texts = join(folder, 'texts');
    await cli(['import', WEIGHTS, '--out', texts], real);
    const { code, stderr } = await cli(['decode', '--model', texts, '--chat', '--text', 'hello'], real);
    expect(code).not.toBe(0);
    expect(stderr).toContain('no chat template');
  });
});
