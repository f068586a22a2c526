import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { encoderDecoderGoldens, encoderDecoderWeights } from '../../models/test/encoder-decoder-fixtures.js';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { SOURCES, weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';
import { editJson, type RawTensor, rawTensors, safetensorsOf } from './import-fixtures.js';

const SHARED = 'model.shared.weight';
const ENCODER = 'model.encoder.embed_tokens.weight';
const DECODER = 'model.decoder.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** Stores the table of tokens under other names. */
async function rename(weights: string, names: readonly string[]): Promise<void> {
  const tensors: Map<string, RawTensor> = await rawTensors(weights);
  const table = tensors.get(SHARED) as RawTensor;
  tensors.delete(SHARED);
  for (const name of names) tensors.set(name, table);
  await writeFile(join(weights, 'model.safetensors'), safetensorsOf(tensors));
}

async function outputs(weights: string, sources: readonly TokenSource[], maxNewTokens: number): Promise<number[][]> {
  const folder = join(await temporaryFolder(), 'model');
  await importModel(weights, folder, { weights: 'float32' });
  await using loaded = await loadModel(folder, { probe: false });
  const { results } = await collect(
    greedy().decode(loaded.part('autoregressive'), { sources: [...sources], maxNewTokens }),
  );
  return results.map(({ best }) => [...best.tokenIds]);
}

describe('the table of tokens of a Marian model', () => {
  it.each([ENCODER, DECODER, HEAD])('may be stored as %s alone', async (name) => {
    const expected = await outputs(await weightsOf('marian'), SOURCES, 8);
    const renamed = await weightsOf('marian');
    await rename(renamed, [name]);
    expect(await outputs(renamed, SOURCES, 8)).toEqual(expected);
  });

  it.each([
    ['tied', true, [ENCODER, DECODER]],
    ['not tied', false, [ENCODER, DECODER, HEAD]],
  ] as const)('may be one of each side, where both have one vocabulary: %s', async (_, tied, names) => {
    const weights = join(await temporaryFolder(), 'weights');
    await cp(encoderDecoderWeights('marian-gelu'), weights, { recursive: true });
    await rename(weights, names);
    await editJson(weights, 'config.json', { share_encoder_decoder_embeddings: false, tie_word_embeddings: tied });
    const { rows } = await encoderDecoderGoldens('marian-gelu');
    const sources = rows.map(({ source }) => Int32Array.from(source));
    expect(await outputs(weights, sources, 20)).toEqual(rows.map(({ greedy: expected }) => expected));
  });
});
