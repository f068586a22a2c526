import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../models/test/folder-fixtures.js';
import { inspectWeights } from '../src/index.js';
import { type StoredVariable, withAlias, withVariable } from './ctranslate2-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/ctranslate2-decoders/', import.meta.url));
const at = (kind: string): string => join(GOLDENS, kind);
const MISTRAL = at('mistral-float16');
const QWEN2 = at('qwen2-int8_float16');
const QWEN3 = at('qwen3-interleaved-int8_float32');
const STRETCHED = at('llama-stretched-bfloat16');
const GPT2 = at('gpt2-int8_float16');
const OPT = at('opt-unbiased-int16');
const POSITIONS = 'decoder/position_encodings/encodings';

const failure = async (
  source: string,
  name: string,
  change: (variable: StoredVariable) => StoredVariable | undefined,
): Promise<ForetokenError> => {
  const folder = await withVariable(source, name, change);
  return refusal(() => inspectWeights(folder));
};

describe('a language model of CTranslate2 without a variable', () => {
  it.each([GPT2, OPT])('%s: learned positions, is refused by their name', async (source) => {
    const error = await failure(source, POSITIONS, () => undefined);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'model.bin', field: POSITIONS } });
    expect(error.message).toContain(`${POSITIONS} is missing`);
    expect(error.message).toContain('a table of learned positions is required');
  });

  it.each([
    [GPT2, 'decoder/layer_norm/gamma'],
    [GPT2, 'decoder/layer_norm/beta'],
    [GPT2, 'decoder/num_heads'],
    [GPT2, 'decoder/layer_0/self_attention/linear_0/weight'],
    [GPT2, 'decoder/layer_1/self_attention/linear_1/weight'],
    [GPT2, 'decoder/layer_1/self_attention/layer_norm/beta'],
    [GPT2, 'decoder/layer_1/ffn/layer_norm/gamma'],
    [GPT2, 'decoder/layer_0/ffn/linear_0/weight'],
    [GPT2, 'decoder/layer_1/ffn/linear_0/weight'],
    [GPT2, 'decoder/layer_1/ffn/linear_1/weight'],
    [OPT, 'decoder/projection/weight'],
    [OPT, 'decoder/layer_0/ffn/layer_norm/beta'],
    [MISTRAL, 'decoder/embeddings/weight'],
    [MISTRAL, 'decoder/layer_norm/gamma'],
    [MISTRAL, 'decoder/projection/weight'],
    [MISTRAL, 'decoder/layer_0/self_attention/layer_norm/gamma'],
    [MISTRAL, 'decoder/layer_1/ffn/linear_0_noact/weight'],
    [MISTRAL, 'decoder/layer_1/ffn/linear_1/weight'],
    [MISTRAL, 'decoder/layer_1/self_attention/linear_0/weight'],
    [QWEN3, 'decoder/layer_0/self_attention/q_norm/gamma'],
    [QWEN3, 'decoder/layer_1/self_attention/k_norm/gamma'],
    [QWEN3, 'decoder/layer_1/ffn/layer_norm/gamma'],
  ])('%s: %s, is refused by its name', async (source, name) => {
    const error = await failure(source, name, () => undefined);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.bin', field: name } });
    expect(error.message).toMatch(/is missing, but it must be .*[Cc]onvert the model again\.$/);
  });

  it.each([
    [QWEN2, 'decoder/layer_1/self_attention/linear_1/weight'],
    [OPT, 'decoder/projection/weight'],
  ])('%s: the scales of %s, is refused by its name', async (source, name) => {
    const error = await failure(source, `${name}_scale`, () => undefined);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: `variable ${name}` } });
    expect(error.message).toContain('no scales');
  });

  it('whose layers break off is refused by the first that is not whole', async () => {
    const folder = await withAlias(MISTRAL, 'decoder/layer_2/ffn/layer_norm/gamma', 'decoder/layer_norm/gamma');
    expect(await refusal(() => inspectWeights(folder))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { field: 'decoder/layer_2/ffn/linear_0/weight' },
    });
  });
});

describe('a language model of CTranslate2 with a variable of another shape', () => {
  /** Half of the rows. */
  const half = ({ shape, bytes }: StoredVariable): StoredVariable => ({
    shape: [shape[0] / 2, ...shape.slice(1)],
    bytes: bytes.subarray(0, bytes.length / 2),
  });
  const flat = ({ shape, bytes }: StoredVariable): StoredVariable => ({
    shape: [shape.reduce((product, size) => product * size, 1)],
    bytes,
  });
  const turned = ({ shape, bytes }: StoredVariable): StoredVariable => ({ shape: [...shape].reverse(), bytes });
  const endless = ({ shape, bytes }: StoredVariable): StoredVariable => ({
    shape: shape.map(() => 2 ** 32 - 1),
    bytes,
  });
  const none = ({ shape, bytes }: StoredVariable): StoredVariable => ({
    shape: shape.map(() => 0),
    bytes: bytes.subarray(0, 0),
  });

  it.each([
    [GPT2, POSITIONS, flat],
    [GPT2, POSITIONS, turned],
    [GPT2, POSITIONS, none],
    [GPT2, POSITIONS, endless],
    [OPT, POSITIONS, endless],
    [GPT2, 'decoder/embeddings/weight', half],
    [GPT2, 'decoder/embeddings/weight', endless],
    [GPT2, 'decoder/layer_norm/beta', half],
    [GPT2, 'decoder/layer_0/ffn/linear_0/bias', half],
    [GPT2, 'decoder/layer_0/ffn/linear_0/weight', flat],
    [GPT2, 'decoder/layer_0/self_attention/linear_0/bias', half],
    [OPT, 'decoder/projection/weight', turned],
    [MISTRAL, 'decoder/layer_1/self_attention/linear_0/weight', half],
    [MISTRAL, 'decoder/layer_1/self_attention/linear_0/weight', turned],
    [MISTRAL, 'decoder/layer_1/self_attention/linear_1/weight', turned],
    [MISTRAL, 'decoder/layer_0/ffn/linear_0_noact/weight', half],
    [MISTRAL, 'decoder/layer_0/ffn/linear_1/weight', flat],
    [MISTRAL, 'decoder/layer_0/ffn/layer_norm/gamma', endless],
    [MISTRAL, 'decoder/projection/weight', none],
    [QWEN3, 'decoder/layer_0/self_attention/q_norm/gamma', half],
    [STRETCHED, 'decoder/num_heads', flat],
    [STRETCHED, 'decoder/layer_1/self_attention/rotary_dim', flat],
  ])('%s: %s, is refused by its name', async (source, name, change) => {
    const error = await failure(source, name, change);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.bin' } });
    expect(String(error.details.field)).toContain(name);
    expect(error.message).toMatch(/[Cc]onvert the model again\.|Fetch or export the weights/);
  });
});
