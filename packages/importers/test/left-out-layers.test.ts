import { access, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';

const MODELS = fileURLToPath(new URL('../../models/test/goldens/', import.meta.url));
const WHISPER = fileURLToPath(new URL('goldens/whisper/transformers', import.meta.url));

describe('a config that says fewer layers than the weights have', () => {
  it.each([
    [join(MODELS, 'encoder-decoder/bart'), 'encoder_layers', /encoder\.layers\.1\./],
    [join(MODELS, 'encoder-decoder/mbart'), 'decoder_layers', /decoder\.layers\.1\./],
    [join(MODELS, 'encoder-decoder/t5'), 'num_layers', /encoder\.block\.1\./],
    [join(MODELS, 'causal/llama'), 'num_hidden_layers', /layers\.1\./],
    [join(MODELS, 'causal/gpt2'), 'n_layer', /h\.1\./],
    [join(MODELS, 'fill-mask/bert'), 'num_hidden_layers', /layer\.1\./],
    [WHISPER, 'encoder_layers', /encoder\.layers\.1\./],
    [WHISPER, 'decoder_layers', /decoder\.layers\.1\./],
  ])('is refused, not obeyed: %s, %s', async (weights, field, tensor) => {
    const folder = join(await temporaryFolder(), 'weights');
    await cp(weights, folder, { recursive: true });
    const file = join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    expect(config[field]).toBeGreaterThan(1);
    await writeFile(file, JSON.stringify({ ...config, [field]: 1 }));
    const refused = {
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(/is of a layer that the config does not have.*Correct the number of layers/s),
      details: { file: 'model.safetensors', field: expect.stringMatching(tensor) },
    };
    const target = join(folder, '..', 'model');
    await expect(importModel(folder, target, { weights: 'float32' })).rejects.toMatchObject(refused);
    await expect(inspectWeights(folder)).rejects.toMatchObject(refused);
    await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
