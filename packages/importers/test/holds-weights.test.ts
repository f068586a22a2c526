import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holdsWeights } from '@foretoken/models/internal';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { inspectWeights } from '../src/index.js';

const GGUF = fileURLToPath(new URL('goldens/gguf/llama-pieces.gguf', import.meta.url));

/** A folder of empty files. */
async function folderOf(names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    if (name.endsWith('/')) await mkdir(join(folder, name));
    else await writeFile(join(folder, name), '');
  }
  return folder;
}

const WEIGHTS: readonly (readonly string[])[] = [
  ['model.safetensors', 'config.json'],
  ['model-00001-of-00002.safetensors', 'model.safetensors.index.json', 'config.json'],
  ['adapter_model.safetensors'],
  ['weights.npz', 'config.json'],
  ['llama.gguf'],
  ['Llama.Q4_K_M.GGUF', 'config.json', 'README.md'],
  ['model.bin', 'config.json', 'shared_vocabulary.json'],
  ['pytorch_model.bin', 'config.json'],
  ['pytorch_model-00001-of-00002.bin', 'pytorch_model.bin.index.json'],
  ['best.pt'],
  ['last.ckpt', 'config.json'],
  ['vocab.deen.spm', 'model.deen.intgemm.alphas.bin', 'lex.50.50.deen.s2t.bin'],
  ['srcvocab.enja.spm', 'trgvocab.enja.spm', 'model.enja.intgemm.alphas.bin.gz'],
];
const GRAPHS = ['model.onnx', 'decoder_model_merged.ort', 'onnx/'];
const NEITHER: readonly (readonly string[])[] = [
  [],
  ['README.md', 'config.json', 'tokenizer.json'],
  ['vocab.deen.spm', 'lex.50.50.deen.s2t.bin'],
  ['data.bin'],
];

/** What importing says of a folder that it finds nothing to import in. */
const NEEDS_NO_IMPORT = /needs no import.*A CTC graph is imported with its labels, by --dictionary\.$/;
const refusal = async (folder: string): Promise<string> =>
  inspectWeights(folder).then(
    () => '',
    (error: Error) => error.message,
  );

describe('which folders hold weights', () => {
  it.each(WEIGHTS.map((names) => [names.join(' '), names] as const))('%s', async (_, names) => {
    expect(await holdsWeights(await folderOf(names))).toBe(true);
    expect(await refusal(await folderOf(names))).not.toMatch(NEEDS_NO_IMPORT);
    for (const graph of GRAPHS) {
      const both = await folderOf([...names, graph]);
      // What opens as it is is opened; who asks for an import gets the weights.
      expect(await holdsWeights(both)).toBe(false);
      expect(await refusal(both)).not.toMatch(NEEDS_NO_IMPORT);
    }
    expect(await holdsWeights(await folderOf([...names, 'foretoken.json']))).toBe(false);
  });

  it.each(GRAPHS)('not one of graphs alone: %s', async (graph) => {
    for (const names of NEITHER) {
      const folder = await folderOf([...names, graph]);
      expect(await holdsWeights(folder)).toBe(false);
      expect(await refusal(folder)).toMatch(NEEDS_NO_IMPORT);
    }
  });

  it.each(NEITHER.map((names) => [names.join(' ') || 'an empty one', names] as const))('not %s', async (_, names) => {
    expect(await holdsWeights(await folderOf(names))).toBe(false);
  });

  it('a file does, whatever it is, and what is not there does not', async () => {
    const folder = await folderOf(['any']);
    expect(await holdsWeights(join(folder, 'any'))).toBe(true);
    expect(await holdsWeights(join(folder, 'none'))).toBe(false);
  });

  it('a GGUF file is read with a config beside it, and not where other weights are', async () => {
    const folder = await folderOf([]);
    await copyFile(GGUF, join(folder, 'llama.gguf'));
    await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
    expect(await holdsWeights(folder)).toBe(true);
    expect((await inspectWeights(folder)).format).toBe('gguf');
    await writeFile(join(folder, 'model.safetensors'), '');
    // It is a folder as transformers has them, which has more files.
    expect(await refusal(folder)).toMatch(/tokenizer\.json/);
  });
});
