import { execFileSync } from 'node:child_process';
import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Yielder } from '@foretoken/core/kit';
import { toFloat32 } from '@foretoken/models/internal';
import { describe, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';
import { configInteger } from '../src/readers/hugging-face/config-fields.js';
import { openWeightsFolder } from '../src/readers/hugging-face/weights-folder.js';
import { weightsFolder } from './weights-fixtures.js';

const pace = new Yielder();

describe('a sound weights folder', () => {
  test('gives config, tokenizer and tensors by name and shape', async () => {
    const folder = await openWeightsFolder(await weightsFolder());
    expect(folder.tokenizer.files).toEqual(new Map([['tokenizer.json', new TextEncoder().encode('{}')]]));
    expect(configInteger(folder, 'd_model', 1, 8)).toBe(8);
    const { dtype, shape, read } = folder.tensor('half', [2, 1]);
    expect([...toFloat32({ dtype, shape, data: await read(pace) })]).toEqual([1, -2]);
    expect(await folder.integers('ids', pace)).toEqual([-1, 7]);
    expect(await folder.integers('longs', pace)).toEqual([5, -6, 7]);
  });

  test('may consist of symbolic links, as download caches do', async () => {
    const path = await weightsFolder();
    await rename(join(path, 'model.safetensors'), join(path, 'blob'));
    await symlink('blob', join(path, 'model.safetensors'));
    expect((await openWeightsFolder(path)).tensors.size).toBe(7);
  });
});

test.each<[string, readonly number[], string]>([
  ['absent', [2], 'missing'],
  ['constructor', [2], 'missing'],
  ['wide', [3, 2], 'F32 [2, 3]'],
  ['wide', [6], 'F32 [2, 3]'],
  ['ids', [2], 'I32 [2]'],
])('tensor %s %j is refused with what was found', async (name, shape, received) => {
  const folder = await openWeightsFolder(await weightsFolder());
  const error = await refusal(() => folder.tensor(name, shape));
  expect(error).toMatchObject({
    code: 'INVALID_MODEL_FOLDER',
    details: { file: 'model.safetensors', field: name, received },
  });
  expect(error.message).toContain(`[${shape.join(', ')}]`);
});

test('weights that are quantised are refused by how, with what to take', async () => {
  const quantised = { quantization_config: { quant_method: 'gptq', bits: 4 } };
  const folder = await openWeightsFolder(await weightsFolder({ 'config.json': JSON.stringify(quantised) }));
  for (const name of ['absent', 'ids']) {
    const error = await refusal(() => folder.tensor(name, [2]));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: name, received: 'gptq' } });
    expect(error.message).toMatch(/quantised \("gptq"\).*or a GGUF file\.$/);
  }
  expect(folder.tensor('half', [2, 1]).dtype).toBe('F16');
});

test('integers of a tensor of another type or rank are refused', async () => {
  const folder = await openWeightsFolder(await weightsFolder());
  for (const name of ['wide', 'brain', 'absent']) {
    expect((await refusal(() => folder.integers(name, pace))).details.field).toBe(name);
  }
});

test.each<[string, number, number]>([
  ['absent', 1, 9],
  ['toString', 1, 9],
  ['heads', 1, 9],
  ['rate', 0, 9],
  ['d_model', 9, 16],
  ['d_model', 1, 7],
])('config field %s outside %i to %i is refused', async (key, min, max) => {
  const folder = await openWeightsFolder(await weightsFolder());
  const error = await refusal(() => configInteger(folder, key, min, max));
  expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'config.json', field: key } });
  expect(error.message).toContain(`from ${min} to ${max}`);
});

describe('a folder that cannot be imported', () => {
  test.each<[string, Readonly<Record<string, string | null>>, string]>([
    ['config.json', { 'config.json': null }, 'missing'],
    ['config.json', { 'config.json': '[]' }, 'object'],
    ['config.json', { 'config.json': '{"a": NaN}' }, 'line 1, column 7'],
    ['config.json', { 'config.json': `"${'x'.repeat(1024 ** 2)}"` }, 'at most'],
    ['tokenizer.json', { 'tokenizer.json': null }, 'missing'],
    ['model.safetensors', { 'model.safetensors': null }, 'missing'],
  ])('%s: %j', async (file, files, words) => {
    const path = await weightsFolder(files);
    const error = await refusal(() => openWeightsFolder(path));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(error.message).toContain(words);
  });

  test.each(['pytorch_model.bin', 'pytorch_model.bin.index.json'])(
    'only %s: refused unread, with a remedy',
    async (file) => {
      const path = await weightsFolder({ 'model.safetensors': null, [file]: 'anything' });
      const error = await refusal(() => openWeightsFolder(path));
      expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file, required: 'model.safetensors' } });
      expect(error.message).toContain('python -c');
    },
  );

  test.skipIf(process.platform === 'win32').each(['config.json', 'model.safetensors'])(
    'a pipe or a device in place of %s does not hang',
    async (file) => {
      const path = await weightsFolder();
      await rm(join(path, file));
      execFileSync('mkfifo', [join(path, file)]);
      expect((await refusal(() => openWeightsFolder(path))).details.file).toBe(file);
      await rm(join(path, file));
      await symlink('/dev/zero', join(path, file));
      expect((await refusal(() => openWeightsFolder(path))).details.file).toBe(file);
    },
  );
});

describe('a folder of graphs, without weights', () => {
  test.each(['marian', 'bart', 'speech', 'speech-ort'])(
    'such as %s is not imported: it says that it opens as it is',
    async (kind) => {
      const folder = fileURLToPath(new URL(`../../models/test/goldens/exports/${kind}`, import.meta.url));
      const out = join(await temporaryFolder(), 'model');
      for (const call of [() => importModel(folder, out), () => inspectWeights(folder)]) {
        const error = await refusal(call);
        expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { folder, required: 'weights' } });
        expect(error.message).toMatch(/load it as it is/);
      }
    },
  );
});
