import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelFolder } from '../src/folder/internal.js';
import { adviceFor } from '../src/node/what-lies-there.js';

const NO_CONFIG = /graphs.*such as \S+onnx, and no config\.json, .*Fetch the config\.json of the same model\.$/;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-there-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), 'x');
  }
}

describe('what is said of a folder that is no model folder', () => {
  it.each([
    [
      'weights of transformers',
      ['config.json', 'model.safetensors'],
      /holds weights.*foretoken import \S+ --out my-model\.$/,
    ],
    ['weights of CTranslate2', ['config.json', 'model.bin'], /holds weights.*foretoken import/],
    ['a GGUF file', ['a.gguf'], /holds weights.*foretoken import/],
    ['weights without a config', ['model.safetensors'], /model\.safetensors, and no config\.json/],
    [
      'an adapter',
      ['adapter_config.json', 'adapter_model.safetensors', 'tokenizer.json'],
      /holds an adapter.*none itself\. Merge it into that model by merge_and_unload\(\) of peft/,
    ],
    ['a graph alone', ['graph.onnx', 'keys.txt'], /--dictionary labels\.txt --out my-model/],
    [
      'a package around a model',
      ['setup.py', 'data/model/config.json', 'data/model/model.safetensors'],
      /Did you mean \S+data\/model\?$/,
    ],
    ['a package around a file', ['package.json', 'llm/a.gguf'], /Did you mean \S+llm\/a\.gguf\?$/],
    [
      'a project with a model folder',
      ['package.json', 'node_modules/x/a.gguf', 'my-model/foretoken.json'],
      /Did you mean \S+my-model\?$/,
    ],
    [
      'something else',
      ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt', 'f.txt'],
      /it has a\.txt, b\.txt, c\.txt, d\.txt, e\.txt and 1 more\. Check the path/,
    ],
    [
      'a config without weights',
      ['config.json', 'tokenizer.json'],
      /a config\.json and no weights.*Fetch the weights of the same model\.$/,
    ],
    ['an export without its config', ['onnx/decoder_model_merged.onnx', 'tokenizer.json'], NO_CONFIG],
    ['the same, flat', ['decoder_model.onnx', 'encoder_model.onnx', 'tokenizer.json'], NO_CONFIG],
    ['a part of an export', ['encoder_model_quantized.onnx'], NO_CONFIG],
    ['the folder of graphs alone', ['onnx/model.onnx'], NO_CONFIG],
    [
      'a decoder of genai without its config',
      ['model.onnx', 'model.onnx.data', 'tokenizer.json', 'tokenizer_config.json'],
      /model\.onnx, beside tokenizer\.json, and neither config\.json nor genai_config\.json.*Fetch the one/,
    ],
    ['a package around an export', ['setup.py', 'a/b/config.json', 'a/b/onnx/x.onnx'], /Did you mean \S+a\/b\?$/],
    [
      'a shortlist alone',
      ['lex.50.50.enfr.s2t.bin'],
      /a shortlist, lex\.\S+\.bin, and no model\. Fetch the model's own/,
    ],
    ['a shortlist and a vocabulary', ['lex.enfr.s2t.bin', 'vocab.enfr.spm'], /a shortlist, .*, and no model/],
    ['nothing', [], /is empty\. Check the path\.$/],
  ])('%s', async (_, names, told) => {
    await put(...names);
    await expect(openModelFolder(folder)).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(told),
    });
  });

  it('graphs in a folder of an export', async () => {
    await put('config.json', 'onnx/decoder_model.onnx');
    expect(await adviceFor(join(folder, 'onnx'), 'foretoken.json')).toMatch(/the folder above it.*Give that: \S+\.$/);
    expect(await adviceFor(join(folder, 'onnx'), 'foretoken.json')).toContain(folder);
  });

  it('parts of weights without their index', async () => {
    await put('config.json', 'model-00001-of-00002.safetensors');
    expect(await adviceFor(folder, 'model.safetensors')).toMatch(
      /no model\.safetensors\.index\.json.*Fetch that too\.$/,
    );
  });

  it('a model folder that is to be imported', async () => {
    await put('foretoken.json');
    expect(await adviceFor(folder, 'config.json')).toMatch(/model folder already/);
  });

  it('a long path is told whole, and one with spaces as a shell reads it', async () => {
    const long = join('a b', 'c'.repeat(120));
    await put(join(long, 'a.gguf'));
    expect(await adviceFor(join(folder, long), 'foretoken.json')).toContain(JSON.stringify(join(folder, long)));
  });

  it('symbols that are missing', async () => {
    expect(await adviceFor(folder, 'symbols.json')).toMatch(/lists the symbols .*"target".* Fetch it, or write it\.$/);
  });

  it('a file of the model that is gone', async () => {
    expect(await adviceFor(folder, 'weights.bin')).toBe('Fetch or create the model again.');
  });
});

describe('what is said of a file in the place of a folder', () => {
  it.each([
    ['a.gguf', /Import it first: foretoken import \S+a\.gguf --out my-model\.$/],
    ['a.onnx', /--dictionary labels\.txt/],
    ['encoder_model_fp16.onnx', /one graph of an export\. Give the folder that holds its config\.json/],
    ['model.safetensors', /Give the folder that holds it/],
    ['foretoken.json', /Give the folder that holds it/],
    ['notes.txt', /Give a GGUF file, or the folder/],
  ])('%s', async (name, told) => {
    await put(name);
    await expect(openModelFolder(join(folder, name))).rejects.toMatchObject({
      message: expect.stringMatching(told),
    });
  });
});
