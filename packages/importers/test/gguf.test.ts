import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect } from '@foretoken/core';
import { NodeBatch, ROOT, Yielder } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';
import { dequantise } from '../src/readers/gguf/dequantise.js';
import { READ_TYPES } from '../src/readers/gguf/gguf-types.js';
import { openGguf } from '../src/readers/gguf/open-gguf.js';

/** Written by apps/distill/make_gguf_goldens.py with gguf-py, transformers, tokenizers and sentencepiece. */
interface Goldens {
  readonly blocks: Readonly<Record<string, { readonly bytes: string; readonly values: string }>>;
  readonly models: Readonly<
    Record<
      string,
      readonly {
        readonly prompt: readonly number[];
        readonly logits: readonly number[];
        readonly greedy: readonly number[];
      }[]
    >
  >;
  readonly byteLevel: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly pieces: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const FOLDER = fileURLToPath(new URL('goldens/gguf/', import.meta.url));
const GOLDENS = JSON.parse(await readFile(join(FOLDER, 'expected.json'), 'utf8')) as Goldens;

async function loaded(name: string): Promise<LoadedModel> {
  const target = join(await temporaryFolder(), name);
  await importModel(join(FOLDER, `${name}.gguf`), target, { weights: 'float32' });
  return loadModel(target, { probe: false });
}

describe('quantised blocks', () => {
  it.each(Object.keys(GOLDENS.blocks))('of the type %s have the values of gguf-py, bit by bit', async (name) => {
    const { bytes, values } = GOLDENS.blocks[name];
    const type = [...READ_TYPES.values()].find((one) => one.name === name);
    if (type === undefined) throw new Error(`no type ${name}`);
    const expected = new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer);
    expect(await dequantise(Buffer.from(bytes, 'base64'), type, new Yielder())).toEqual(expected);
  });
});

describe.each(Object.keys(GOLDENS.models))('%s.gguf', (name) => {
  it('has the logits to 1e-4 and the greedy outputs that transformers has of its de-quantised weights', async () => {
    await using model = await loaded(name);
    const part = model.part('autoregressive');
    for (const { prompt, logits: expected, greedy: output } of GOLDENS.models[name]) {
      const sources = [Int32Array.from(prompt)];
      await using forest = await part.open(sources);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, sources[0], 'last');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      for (const [token, value] of expected.entries()) expect(Math.abs(logits[token] - value)).toBeLessThan(1e-4);
      const { results } = await collect(greedy().decode(part, { sources, maxNewTokens: 20 }));
      expect([...results[0].best.tokenIds]).toEqual(output);
    }
  });
});

describe('a number that is none', () => {
  it.each(['float32', 'float16', 'int8', 'int4'] as const)(
    'is refused by the name of the file, weights: %s',
    async (weights) => {
      const name = 'blk.1.ffn_norm.weight';
      const bytes = await readFile(join(FOLDER, 'qwen3.gguf'));
      const folder = await temporaryFolder();
      const file = 'weights.gguf';
      const { tensors } = await openGguf({ folder: FOLDER, file: 'qwen3.gguf' }, new Yielder());
      const at = bytes.indexOf((await tensors.get(name)?.read(new Yielder())) ?? 'missing');
      expect(at).toBeGreaterThan(0);
      bytes.writeFloatLE(Number.NaN, at + 12);
      await writeFile(join(folder, file), bytes);
      const error = await refusal(() => importModel(join(folder, file), join(folder, 'model'), { weights }));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file, field: name, index: 3 } });
      expect(error.message).toContain(`"${name}"`);
    },
  );
});

describe('the tokenizer of a GGUF file', () => {
  it.each([
    ['llama-byte-level', 'byteLevel'],
    ['llama-pieces', 'pieces'],
  ] as const)('of %s gives the ids of the original', async (name, goldens) => {
    await using model = await loaded(name);
    const { tokenizer } = model;
    for (const { text, ids } of GOLDENS[goldens]) {
      expect([...tokenizer.encode(text, 'prompt')], text).toEqual(ids);
      if (!/[<☃Ω日🙂本語]/u.test(text)) expect(tokenizer.decode(Int32Array.from(ids))).toBe(text);
    }
  });

  it('reads special tokens in a prompt, and shows none', async () => {
    await using model = await loaded('llama-byte-level');
    const ids = model.tokenizer.encode('<|im_start|>user\nhello<|im_end|>', 'prompt');
    expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
    expect(model.tokenizer.decode(ids)).toBe('user\nhello');
  });
});
