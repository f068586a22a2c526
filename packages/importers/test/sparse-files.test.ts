import { cp, open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';

const BYTES = 2 * 1024 ** 3;

describe('a sparse file of 2 GB beside weights', () => {
  it.each([
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'model.safetensors',
    'model.safetensors.index.json',
  ])('is refused by code: %s', async (file) => {
    const weights = join(await temporaryFolder(), 'weights');
    await cp(await weightsOf('marian'), weights, { recursive: true });
    await (await open(join(weights, file), 'a')).close();
    await truncate(join(weights, file), BYTES);
    // Shards are looked for where there is no whole file.
    if (file.endsWith('index.json')) await rm(join(weights, 'model.safetensors'));
    const target = join(await temporaryFolder(), 'model');
    const error = await refusal(() => importModel(weights, target));
    expect(error.code).toMatch(/^(INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/);
    expect(error.message).toContain(file);
  });
});
