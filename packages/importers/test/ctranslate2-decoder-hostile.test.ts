import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ForetokenError } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import type { CausalLanguageModelManifest } from '@foretoken/models/internal';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';
import {
  copyOf,
  edited,
  mutator,
  VALUE,
  withAlias,
  withConfig,
  withJson,
  withVariable,
} from './ctranslate2-fixtures.js';
import { expectReadOrRefused } from './mutated-files.js';

const GOLDENS = fileURLToPath(new URL('goldens/ctranslate2-decoders/', import.meta.url));
const at = (kind: string): string => join(GOLDENS, kind);
const inspectFailure = (folder: string): Promise<ForetokenError> => refusal(() => inspectWeights(folder));

const LLAMA = at('llama-some-biases-float32');
const MISTRAL = at('mistral-float16');
const QWEN2 = at('qwen2-int8_float16');
const QWEN3 = at('qwen3-interleaved-int8_float32');
const STRETCHED = at('llama-stretched-bfloat16');
const GPT2 = at('gpt2-int8_float16');
const FIRST = 'decoder/layer_0/self_attention';
const SECOND = 'decoder/layer_1/self_attention';

describe('a language model of CTranslate2', () => {
  it.each([
    [LLAMA, 'TransformerDecoderSpec', 0, [7], 'spec revision'],
    [LLAMA, 'decoder/alibi', VALUE, [1], 'decoder/alibi'],
    [LLAMA, 'decoder/pre_norm', VALUE, [0], 'decoder/pre_norm'],
    [GPT2, 'decoder/scale_embeddings', VALUE, [1], 'decoder/scale_embeddings'],
    [LLAMA, 'decoder/start_from_zero_embedding', VALUE, [1], 'decoder/start_from_zero_embedding'],
    [LLAMA, 'decoder/activation', VALUE, [5], 'decoder/activation'],
    [LLAMA, `${FIRST}/rotary_dim`, VALUE, [2], `${SECOND}/rotary_dim`],
    [LLAMA, `${SECOND}/rotary_base`, VALUE, [0, 0, 0, 66], `${SECOND}/rotary_base`],
    [LLAMA, `${SECOND}/rotary_interleave`, VALUE, [1], `${SECOND}/rotary_interleave`],
    [STRETCHED, `${SECOND}/rotary_scaling_type`, VALUE, [0], `${SECOND}/rotary_scaling_type`],
    [MISTRAL, 'decoder/sliding_window', VALUE, [9], `${FIRST}/sliding_window`],
    [MISTRAL, `${SECOND}/sliding_window`, VALUE, [9], `${SECOND}/sliding_window`],
    [QWEN2, `${SECOND}/num_heads_kv`, VALUE, [1], `${SECOND}/num_heads_kv`],
    // A name of a part that nothing here knows.
    [
      LLAMA,
      'decoder/layer_1/ffn/linear_0_noact/weight',
      -2,
      [120],
      'variable decoder/layer_1/ffn/linear_0_noact/weighx',
    ],
    [GPT2, 'decoder/position_encodings/encodings', -2, [120], 'variable decoder/position_encodings/encodingx'],
  ] as const)('%s with another %s is refused by its name', async (kind, name, after, bytes, field) => {
    const error = await inspectFailure(await edited(kind, name, after, bytes));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'model.bin', field } });
    expect(error.message).toMatch(/Import the weights|Convert the model|Export the original to ONNX/);
  });

  it('says of its window that model.bin has it', async () => {
    const { notes } = await inspectWeights(MISTRAL);
    expect(notes.find(({ field }) => field === 'decoder/sliding_window')).toMatchObject({
      file: 'model.bin',
      message: expect.stringMatching(/^model\.bin has decoder\/sliding_window = \d+\./),
    });
  });

  it('without the table that its scores are an alias of is refused by the name of the table', async () => {
    const table = 'decoder/embeddings/weight';
    const tied = await withVariable(await withAlias(GPT2, 'decoder/projection/weight', table), table, () => undefined);
    expect(await inspectFailure(tied)).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(
        /: decoder\/embeddings\/weight is missing, but it must be there, since \S+ is an alias/,
      ),
      details: { file: 'model.bin', field: table },
    });
  });

  it.each([
    [LLAMA, `${FIRST}/v_norm/gamma`],
    [LLAMA, `${FIRST}/rotary_scaling_long_factor`],
    [LLAMA, `${FIRST}/linear_0/weight_zero`],
    [LLAMA, `${FIRST}/layer_norm/layer_norm_use_residual`],
    [LLAMA, `${FIRST}/relative_position_keys`],
    [LLAMA, 'decoder/layer_0/input_layer_norm/gamma'],
    [LLAMA, 'decoder/layer_0/post_feedforward_layer_norm/gamma'],
    [LLAMA, 'decoder/layer_0/shared_layer_norm/gamma'],
    [LLAMA, 'decoder/layer_0/attention/linear_0/weight'],
    [LLAMA, 'decoder/layer_0/layer_scalar'],
    [LLAMA, 'decoder/layer_00/ffn/layer_norm/gamma'],
    [LLAMA, 'decoder/embeddings/multiply_by_sqrt_depth'],
    [LLAMA, 'decoder/projection/bias'],
    [LLAMA, 'decoder/layernorm_embedding/gamma'],
    [LLAMA, 'decoder/project_in/weight'],
    [LLAMA, 'decoder/position_encodings/encodings'],
    [LLAMA, 'encoder/layer_norm/gamma'],
    [GPT2, `${FIRST}/rotary_dim`],
    [GPT2, 'decoder/layer_0/ffn/linear_0_noact/weight'],
    [QWEN3, 'decoder/layer_1/ffn/linear_0/bias'],
  ])('%s with a variable %s is refused by its name', async (kind, name) => {
    const error = await inspectFailure(await withAlias(kind, name, 'decoder/layer_norm/gamma'));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: `variable ${name}` } });
  });

  it.each([
    [LLAMA, 'decoder/final_logit_softcapping', 'decoder/num_heads'],
    [LLAMA, 'decoder/scale_outputs', 'decoder/num_heads'],
    [LLAMA, `${FIRST}/queries_scale`, 'decoder/num_heads'],
    [GPT2, 'decoder/sliding_window', 'decoder/num_heads'],
    [GPT2, `${FIRST}/num_heads_kv`, 'decoder/pre_norm'],
    [GPT2, `${FIRST}/head_dim`, 'decoder/pre_norm'],
  ])('%s with %s, as large as %s, is refused by its name', async (kind, name, value) => {
    const both = name.startsWith(FIRST) ? await withAlias(kind, name.replace(FIRST, SECOND), value) : kind;
    const error = await inspectFailure(await withAlias(both, name, value));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: name } });
  });

  it.each([1, 2, 'awq'])('whose weights are quantised otherwise (%j) is refused by that', async (type) => {
    const error = await inspectFailure(await withConfig(LLAMA, { quantization_type: type, quantization_bits: 4 }));
    expect(error).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { file: 'config.json', field: 'quantization_type' },
    });
    if (typeof type === 'number') expect(error.message).toContain('AWQ (4 bits');
  });

  it.each([
    [{ eos_token: '</t>' }, 'eos_token'],
    [{ eos_token: 7 }, 'eos_token'],
    [{ layer_norm_epsilon: -1 }, 'layer_norm_epsilon'],
    [{ layer_norm_epsilon: 'small' }, 'layer_norm_epsilon'],
  ])('with %j is refused by that field', async (fields, field) => {
    expect(await inspectFailure(await withConfig(LLAMA, fields))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'config.json', field },
    });
  });

  it.each([
    ['decoder/num_heads', [3, 0], 'decoder/num_heads'],
    ['decoder/num_heads', [0, 0], 'decoder/num_heads'],
    [`${FIRST}/linear_0/weight`, [120], undefined],
  ] as const)('with sizes that do not fit (%s) is refused', async (name, bytes, field) => {
    const after = name === 'decoder/num_heads' ? VALUE : 1;
    const error = await inspectFailure(await edited(LLAMA, name, after, bytes));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.bin' } });
    if (field !== undefined) expect(error.details.field).toBe(field);
  });

  it.each([
    ['of a token less', (tokens: string[]) => tokens.slice(0, -1), 'model.bin', 'decoder/embeddings/weight'],
    ['with a token twice', (tokens: string[]) => [tokens[5], ...tokens.slice(1)], 'vocabulary.json', '5'],
    [
      'of another model',
      (tokens: string[]) => [...tokens.slice(0, 9), ...tokens.slice(9).reverse()],
      'tokenizer.json',
      // Added tokens are compared first.
      '39',
    ],
  ])('with a vocabulary %s is refused', async (_, change, file, field) => {
    const folder = await withJson(LLAMA, 'vocabulary.json', change as (content: never) => unknown);
    expect(await inspectFailure(folder)).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file, field } });
  });

  it.each(['vocabulary.json', 'tokenizer.json'])('without %s says that it is missing', async (file) => {
    const folder = await copyOf(LLAMA);
    await rm(join(folder, file));
    expect(await inspectFailure(folder)).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file } });
  });
});

describe('what lies beside a language model of CTranslate2', () => {
  it('may be a vocabulary of lines, and pieces of another model', async () => {
    const folder = await copyOf(LLAMA);
    const tokens = JSON.parse(await readFile(join(folder, 'vocabulary.json'), 'utf8')) as string[];
    await rm(join(folder, 'vocabulary.json'));
    await writeFile(join(folder, 'vocabulary.txt'), tokens.map((token) => `${token}\n`).join(''));
    for (const name of ['source.spm', 'target.spm', 'vocab.json']) await writeFile(join(folder, name), 'other');
    const { manifest } = await inspectWeights(folder);
    expect(manifest.vocabulary).toMatchObject({ size: tokens.length, endTokenId: tokens.indexOf('</s>') });
    expect(manifest.tokenizer).toBe('tokenizer.json');
  });

  it('may be a chat template', async () => {
    const folder = await copyOf(QWEN2);
    await writeFile(
      join(folder, 'chat_template.jinja'),
      "{% for m in messages %}{{ m['content'] + 'abc' }}{% endfor %}",
    );
    const target = join(await temporaryFolder(), 'model');
    await importModel(folder, target);
    await using model = await loadModel(target, { probe: false });
    const { source } = await model.processor.read([{ role: 'user', content: 'd' }]);
    expect([...source].slice(-4)).toEqual([6, 3, 4, 5]);
  });
});

describe('positions of a language model of CTranslate2', () => {
  it('are as many as its layers see, or as a model folder holds', async () => {
    const limits = await Promise.all(
      [LLAMA, MISTRAL, GPT2].map(
        async (folder) => (await inspectWeights(folder)).manifest as CausalLanguageModelManifest,
      ),
    );
    expect(limits.map((manifest) => manifest.limits.sourceLength)).toEqual([65_536, 32, 24]);
  });

  it('that the file does not stretch, though it says so, are noted', async () => {
    const folder = await copyOf(STRETCHED);
    const content = await readFile(join(folder, 'model.bin'));
    // As the converter writes it: without the factor, and without the length that the model was trained with.
    for (let layer = 0; layer < 2; layer++) {
      for (const [name, value] of [
        ['rotary_scaling_factor', [0, 0, 128, 63]],
        ['original_max_position_embeddings', [0, 0, 0, 0]],
      ] as const) {
        const path = `decoder/layer_${layer}/self_attention/${name}\0`;
        content.set(value, content.indexOf(path) + path.length + VALUE);
      }
    }
    await writeFile(join(folder, 'model.bin'), content);
    const { notes } = await inspectWeights(folder);
    expect(notes.map(({ field }) => field)).toEqual(['rotary_scaling_factor']);
    expect((await inspectWeights(STRETCHED)).notes).toEqual([]);
  });
});

describe('mutated files', () => {
  it.each([
    [STRETCHED, 'model.bin', ['coder/', 'Transformer', 'weight', 'num_heads', 'rotary', 'norm']],
    [GPT2, 'model.bin', ['coder/', 'position', 'weight', 'scale', 'norm', 'bias']],
    [LLAMA, 'config.json', ['token', 'true', 'e-', '<']],
    [LLAMA, 'vocabulary.json', ['"', ',', '<']],
  ] as const)('of %s: %s is read, or refused by code with a file', async (kind, file, texts) => {
    const folder = await copyOf(kind);
    const path = join(folder, file);
    await expectReadOrRefused(folder, path, mutator(await readFile(path), texts), { times: 300 });
  });
});
