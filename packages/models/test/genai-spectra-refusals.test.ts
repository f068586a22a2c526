import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportCopy } from './export-folders.js';
import { refusal } from './export-refusal.js';
import { attribute, CONFIG, KIND, model, operation, PROCESSOR } from './genai-fixtures.js';

describe('a folder of onnxruntime-genai with an encoder of spectra', () => {
  it.each<[string, (folder: string) => Promise<unknown>, code: string, file: string, words: RegExp]>([
    [
      'no encoder',
      model((one) => Object.assign(one, { encoder: undefined })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /model\.encoder is missing, but decoder\.onnx takes "past_key_cross_0"/,
    ],
    [
      'an encoder without a graph',
      model(({ encoder }) => Object.assign(encoder, { filename: undefined })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /model\.encoder\.filename/,
    ],
    [
      'the graphs exchanged',
      model(({ encoder, decoder }) => [
        Object.assign(encoder, { filename: 'decoder.onnx' }),
        Object.assign(decoder, { filename: 'encoder.onnx' }),
      ]),
      'UNSUPPORTED_MODEL',
      'decoder.onnx',
      /decoder\.onnx cannot be driven/,
    ],
    [
      'one graph twice',
      model(({ encoder }) => Object.assign(encoder, { filename: 'decoder.onnx' })),
      'UNSUPPORTED_MODEL',
      'decoder.onnx',
      /decoder\.onnx cannot be driven/,
    ],
    [
      'another name for what it hears',
      model(({ encoder: { inputs } }) => Object.assign(inputs, { audio_features: 'sound' })),
      'UNSUPPORTED_MODEL',
      'encoder.onnx',
      /audio_features/,
    ],
    [
      'keys of sources called values in the decoder',
      model(({ decoder: { inputs } }) =>
        Object.assign(inputs, {
          cross_past_key_names: 'past_value_cross_%d',
          cross_past_value_names: 'past_key_cross_%d',
        }),
      ),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /"present_value_cross_0" of encoder\.onnx becomes "past_key_cross_0".*exchanged/,
    ],
    [
      'keys of sources called values in the encoder',
      model(({ encoder: { outputs: given } }) =>
        Object.assign(given, {
          cross_present_key_names: 'present_value_cross_%d',
          cross_present_value_names: 'present_key_cross_%d',
        }),
      ),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /becomes "past_key_cross_0".*exchanged/,
    ],
    [
      'its own keys called values',
      model(({ decoder: { inputs } }) =>
        Object.assign(inputs, { past_key_names: 'past_value_self_%d', past_value_names: 'past_key_self_%d' }),
      ),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /past_key_self_0.*exchanged/,
    ],
    [
      'other names for keys of sources',
      model(({ decoder: { inputs } }) => Object.assign(inputs, { cross_past_key_names: 'pk_%d' })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /no output of encoder\.onnx becomes "past_key_cross_0".*cross_past_key_names/,
    ],
    [
      'other names for what its own keys become',
      model(({ decoder: { outputs: given } }) => Object.assign(given, { present_key_names: 'pk_%d' })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /no output of decoder\.onnx is what "past_key_self_0" becomes.*present_key_names/,
    ],
    [
      'no most tokens',
      model((one) => Object.assign(one, { context_length: undefined })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /model\.context_length is missing/,
    ],
    [
      'most tokens that are no number',
      model((one) => Object.assign(one, { context_length: '448' })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /model\.context_length is "448"/,
    ],
    [
      'another end token',
      model((one) => Object.assign(one, { eos_token_id: 5 })),
      'INVALID_MODEL_FOLDER',
      'tokenizer.json',
      /genai_config\.json has model\.eos_token_id = 5/,
    ],
    [
      'another vocabulary',
      model((one) => Object.assign(one, { vocab_size: 51_865 })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /51865, but decoder\.onnx scores 1783/,
    ],
    [
      'a file of sound outside',
      model((one) => Object.assign(one, { speech: { config_filename: '../a.json' } })),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      /config_filename/,
    ],
    [
      'other bands of sound',
      attribute(2, 'n_mel', 80),
      'INVALID_MODEL_FOLDER',
      PROCESSOR,
      /feature_size 80, but by genai_config\.json it is 8/,
    ],
    ['a shorter window', attribute(2, 'chunk_size', 10), 'INVALID_MODEL_FOLDER', PROCESSOR, /chunk_length 10.*30/],
    [
      'another transform',
      async (folder: string) => {
        await attribute(1, 'n_fft', 512)(folder);
        await attribute(2, 'n_fft', 512)(folder);
        await attribute(1, 'frame_length', 512)(folder);
      },
      'UNSUPPORTED_MODEL',
      PROCESSOR,
      /n_fft is 512, but 400 is required/,
    ],
    [
      'sizes that contradict one another',
      attribute(1, 'n_fft', 512),
      'UNSUPPORTED_MODEL',
      PROCESSOR,
      /sequence\[1\]\.operation\.attrs\.frame_length is 400, but 512/,
    ],
    ['a window of its own', attribute(1, 'hann_win', [1, 2]), 'UNSUPPORTED_MODEL', PROCESSOR, /attrs\.hann_win/],
    [
      'another operation',
      operation(2, (one) => Object.assign(one, { type: 'LogMel' })),
      'UNSUPPORTED_MODEL',
      PROCESSOR,
      /sequence\[2\]\.operation\.type is "LogMel"/,
    ],
    [
      'no operations',
      (folder) => writeFile(join(folder, PROCESSOR), '{"feature_extraction": null}'),
      'UNSUPPORTED_MODEL',
      PROCESSOR,
      /feature_extraction\.sequence/,
    ],
    [
      'an audio processor that is no JSON',
      (folder) => writeFile(join(folder, PROCESSOR), '{'),
      'INVALID_MODEL_FOLDER',
      PROCESSOR,
      /JSON/,
    ],
    [
      'no weights of its encoder',
      (folder) => rm(join(folder, 'encoder.onnx.data')),
      'INVALID_MODEL_FOLDER',
      'encoder.onnx.data',
      /encoder\.onnx\.data/,
    ],
    [
      'weights of its decoder that end early',
      (folder) => truncate(join(folder, 'decoder.onnx.data'), 1000),
      'INVALID_MODEL_FOLDER',
      'decoder.onnx',
      /decoder\.onnx\.data/,
    ],
    [
      'no encoder file',
      (folder) => rm(join(folder, 'encoder.onnx')),
      'INVALID_MODEL_FOLDER',
      'encoder.onnx',
      /encoder\.onnx/,
    ],
    [
      'an operator that nothing here can run',
      async (folder) => {
        const path = join(folder, 'decoder.onnx');
        const text = (await readFile(path)).toString('latin1');
        await writeFile(path, Buffer.from(text.replaceAll('MultiHeadAttention', 'UnknownHeadAttentn'), 'latin1'));
      },
      'UNSUPPORTED_MODEL',
      'decoder.onnx',
      /an operator that the ONNX Runtime in use cannot run here.*UnknownHeadAttentn.*Take an export for this device/,
    ],
    [
      'no tokenizer',
      (folder) => rm(join(folder, 'tokenizer.json')),
      'UNSUPPORTED_MODEL',
      'tokenizer.json',
      /no tokenizer\.json/,
    ],
  ])('is refused with %s', async (_, harm, code, file, words) => {
    const folder = await exportCopy(KIND);
    await harm(folder);
    const error = await refusal(folder);
    expect(error.message).toMatch(words);
    expect(error).toMatchObject({ code, details: { file } });
  });
});
