import { fileURLToPath } from 'node:url';
import { Yielder } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../models/test/folder-fixtures.js';
import { ggufConfig } from '../src/readers/gguf/gguf-config.js';
import { GgufFields } from '../src/readers/gguf/gguf-fields.js';
import { refuseOtherTensors } from '../src/readers/gguf/gguf-tensors.js';
import { ggufTokenizer } from '../src/readers/gguf/gguf-tokenizer.js';
import { type GgufFile, openGguf } from '../src/readers/gguf/open-gguf.js';

const FOLDER = fileURLToPath(new URL('goldens/gguf/', import.meta.url));
const opened = (name: string): Promise<GgufFile> => openGguf({ folder: FOLDER, file: `${name}.gguf` }, new Yielder());
const GOOD = await opened('llama-byte-level');

/** The good file with other settings. */
function fieldsWith(settings: Readonly<Record<string, string | number | boolean>>): GgufFields {
  const metadata = new Map([...GOOD.metadata, ...Object.entries(settings)]);
  return new GgufFields({ ...GOOD, metadata }, { folder: FOLDER, file: 'model.gguf' });
}
const configOf = (settings: Readonly<Record<string, string | number | boolean>>) =>
  ggufConfig(fieldsWith(settings), GOOD, undefined);

describe('positions that are stretched', () => {
  it.each([
    [
      { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 4 },
      { rope_type: 'linear', factor: 4 },
    ],
    // As llama.cpp reads them.
    [{ 'llama.rope.scaling.factor': 4 }, { rope_type: 'linear', factor: 4 }],
    [{ 'llama.rope.scale_linear': 2 }, { rope_type: 'linear', factor: 2 }],
    [
      { 'llama.rope.scale_linear': 2, 'llama.rope.scaling.factor': 4 },
      { rope_type: 'linear', factor: 4 },
    ],
    [{ 'llama.rope.scaling.factor': 0 }, null],
    [{ 'llama.rope.scaling.type': 'none', 'llama.rope.scaling.factor': 4 }, null],
    [{}, null],
  ])('%j', (settings, scaling) => {
    expect(configOf(settings)).toMatchObject({ rope_scaling: scaling });
  });

  it.each(['yarn', 'longrope'])('by %s are refused', async (type) => {
    const error = await refusal(() => configOf({ 'llama.rope.scaling.type': type }));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'llama.rope.scaling.type' } });
  });
});

describe('what a model computes otherwise', () => {
  it.each([
    ['llama.attention.causal', false],
    ['llama.attention.scale', 0.5],
    ['llama.attn_logit_softcapping', 50],
    ['llama.final_logit_softcapping', 30],
    ['llama.logit_scale', 8],
    ['llama.residual_scale', 0.2],
    ['llama.embedding_scale', 12],
    ['llama.rope.scaling.attn_factor', 1.2],
  ])('%s = %j is refused by its name', async (field, received) => {
    const error = await refusal(() => configOf({ [field]: received }));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field, received } });
  });

  it('is no reason where it says that it does not', () => {
    const config = configOf({ 'llama.attention.causal': true, 'llama.logit_scale': 1, 'llama.attention.scale': 0 });
    expect(config).toEqual(configOf({}));
  });
});

describe('tensors that nothing reads', () => {
  const withTensor = (file: GgufFile, name: string): GgufFile => {
    const [[, any]] = file.tensors;
    return { ...file, tensors: new Map([...file.tensors, [name, any]]) };
  };

  it.each([
    ['llama-byte-level', 'llama', 'blk.0.attn_output.bias'],
    ['llama-byte-level', 'llama', 'blk.1.attn_q.bias'],
    ['llama-byte-level', 'llama', 'blk.0.attn_q_norm.weight'],
    ['llama-byte-level', 'llama', 'blk.0.attn_sinks.weight'],
    ['llama-byte-level', 'llama', 'blk.0.ffn_gate_inp.weight'],
    ['llama-byte-level', 'llama', 'blk.2.ffn_up.weight'],
    ['llama-byte-level', 'llama', 'token_embd_norm.weight'],
    ['qwen2', 'qwen2', 'blk.0.ffn_up.bias'],
    ['qwen2', 'qwen2', 'output.bias'],
    ['qwen3', 'qwen3', 'blk.1.attn_output.bias'],
  ])('%s: %s with %s is refused', async (name, architecture, tensor) => {
    const file = await opened(name);
    const fields = new GgufFields(file, { folder: FOLDER, file: `${name}.gguf` });
    refuseOtherTensors(fields, file, architecture, 2);
    const error = await refusal(() => refuseOtherTensors(fields, withTensor(file, tensor), architecture, 2));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: `tensor "${tensor}"` } });
  });
});

describe('a file that does not say whether texts begin with its start token', () => {
  const startOf = async (fields: GgufFields): Promise<unknown> => {
    const size = GOOD.tensors.get('token_embd.weight')?.shape[0] ?? 0;
    const { files } = await ggufTokenizer(fields, size, new Yielder());
    const { post_processor: around } = JSON.parse(new TextDecoder().decode(files.get('tokenizer.json')));
    return around.single[0].SpecialToken?.id;
  };
  const silent = new Map([...GOOD.metadata].filter(([key]) => key !== 'tokenizer.ggml.add_bos_token'));

  it.each([
    ['llama-bpe', '<|im_start|>'],
    ['llama3', '<|im_start|>'],
    ['qwen2', undefined],
    ['smollm', undefined],
    ['gpt-2', undefined],
  ])('%s: begins with %s, as llama.cpp has it', async (pre, start) => {
    const metadata = new Map([...silent, ['tokenizer.ggml.pre', pre] as const]);
    const fields = new GgufFields({ ...GOOD, metadata }, { folder: FOLDER, file: 'model.gguf' });
    expect(await startOf(fields)).toBe(start);
  });

  it('and one that says so is heard', async () => {
    const heard = (pre: string, says: boolean) =>
      startOf(fieldsWith({ 'tokenizer.ggml.pre': pre, 'tokenizer.ggml.add_bos_token': says }));
    expect(await heard('llama-bpe', false)).toBeUndefined();
    expect(await heard('gpt-2', true)).toBe('<|im_start|>');
  });
});
