import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { FloatSource } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { importCtcModel, importModel } from '../src/index.js';
import { folder, load } from './ctc-folders.js';
import { SAMPLES, SOUND_LABELS, writeSoundGraph } from './ctc-sound-fixture.js';

const VOCABULARY = JSON.stringify(Object.fromEntries(SOUND_LABELS.map((label, id) => [label, id])));
const CONFIG = JSON.stringify({ architectures: ['HubertForCTC'] });
const TOKENS = SOUND_LABELS.map((label, id) => `${label} ${id}`).join('\n');

let count = 0;

/** A folder with graphs of these names and files of these contents. */
async function folderOf(graphs: readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, `export-${count++}`);
  await mkdir(join(root, 'onnx'), { recursive: true });
  for (const graph of graphs) await rename(await writeSoundGraph(root), join(root, graph));
  for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content);
  return root;
}

async function textOf(target: string): Promise<string> {
  await using model = await load(target);
  return (await model.decode(Float32Array.from(SAMPLES), ctcGreedy<FloatSource>())).text;
}

async function refusal(location: string, options: CtcImportOptions = {}): Promise<ForetokenError> {
  const error: unknown = await importCtcModel(location, join(folder, 'target'), options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!ForetokenError.isInstance(error)) throw error ?? new Error('was imported');
  return error;
}

describe('the folder of a CTC graph', () => {
  it.each([
    ['beside its files', ['model.onnx'], { 'vocab.json': VOCABULARY }, {}],
    ['in a folder of its own', ['onnx/model.onnx'], { 'vocab.json': VOCABULARY }, {}],
    ['of any name, where it is the only one', ['ctc.onnx'], { 'tokens.txt': TOKENS }, {}],
    ['in fp32 among others', ['onnx/model_q4.onnx', 'onnx/model.onnx'], { 'vocab.json': VOCABULARY }, {}],
    [
      'in the precision that is told',
      ['model_quantized.onnx', 'model.txt'],
      { 'tokens.txt': TOKENS },
      { precision: 'q8' },
    ],
    ['with labels that are told', ['model.onnx'], {}, { dictionary: SOUND_LABELS }],
  ] as const)('has its graph %s', async (_, graphs, files, told) => {
    const root = await folderOf(graphs, files);
    const manifest = await importCtcModel(root, join(root, 'target'), told);
    expect(manifest.name).toBe(basename(root));
    expect(await textOf(join(root, 'target'))).toBe('aab');
  });

  it('is imported like any other model where its config says what it is', async () => {
    const files = { 'vocab.json': VOCABULARY, 'config.json': CONFIG, 'preprocessor_config.json': '{}' };
    const root = await folderOf(['onnx/model.onnx'], files);
    await importModel(root, join(root, 'target'), { name: 'ours' });
    expect(await textOf(join(root, 'target'))).toBe('abcd');
    await expect(importModel(root, join(root, 'other'), { stepLayout: 'body' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^stepLayout must be left out: .* holds a CTC graph/),
    });
  });

  it.each([
    ['no graph', [], {}, {}, 'INVALID_MODEL_FOLDER', /holds no graph.*model\.onnx is required/],
    ['several', ['a.onnx', 'b.onnx'], {}, {}, 'INVALID_MODEL_FOLDER', /holds a\.onnx, b\.onnx, and model\.onnx/],
    [
      'another precision',
      ['model.onnx'],
      {},
      { precision: 'q4' },
      'INVALID_MODEL_FOLDER',
      /model_q4\.onnx is required/,
    ],
    ['no labels', ['model.onnx'], {}, {}, 'INVALID_ARGUMENT', /no vocab\.json or tokens\.txt beside/],
  ] as const)('is refused with %s', async (_, graphs, files, told, code, message) => {
    expect(await refusal(await folderOf(graphs, files), told)).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('has no precision where it is a file', async () => {
    const root = await folderOf(['model.onnx'], { 'vocab.json': VOCABULARY });
    const error = await refusal(join(root, 'model.onnx'), { precision: 'fp32' });
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'precision' } });
  });
});
