import { readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, openModelFolder } from '../src/index.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { edit, refusal } from './export-refusal.js';

const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n';

describe('a folder of an exporter that is not whole or not sound is refused, with file and remedy', () => {
  const cases: Record<
    string,
    [kind: string, harm: (folder: string) => Promise<unknown>, code: string, message: RegExp]
  > = {
    'no decoder': [
      'bart',
      async (folder) => {
        await rm(join(folder, 'decoder_model.onnx'));
        await rm(join(folder, 'decoder_with_past_model.onnx'));
      },
      'INVALID_MODEL_FOLDER',
      /encoder_model\.onnx, but no decoder.*decoder_model_merged\.onnx/,
    ],
    'no graph that goes on': [
      'bart',
      (folder) => rm(join(folder, 'decoder_with_past_model.onnx')),
      'UNSUPPORTED_MODEL',
      /decoder_model\.onnx cannot be driven.*a cache.*text2text-generation-with-past/,
    ],
    'no config': [
      'bart',
      (folder) => rm(join(folder, 'config.json')),
      'INVALID_MODEL_FOLDER',
      /foretoken\.json is missing/,
    ],
    'a config that is no object': [
      'bart',
      (folder) => writeFile(join(folder, 'config.json'), '[]'),
      'INVALID_MODEL_FOLDER',
      /config\.json .*must be a JSON object/,
    ],
    'a config of another vocabulary': [
      'bart',
      (folder) => edit(folder, 'config.json', (config) => ({ ...config, vocab_size: 40 })),
      'INVALID_MODEL_FOLDER',
      /vocab_size 40, but .* scores 41 tokens/,
    ],
    'a tokenizer of another vocabulary': [
      'bart',
      (folder) =>
        edit(folder, 'tokenizer.json', (tokenizer) => ({
          ...tokenizer,
          added_tokens: [
            ...(tokenizer.added_tokens as object[]),
            {
              id: 41,
              content: '<new>',
              special: true,
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
            },
          ],
        })),
      'INVALID_MODEL_FOLDER',
      /tokenizer\.json.*41/,
    ],
    'an end token outside the vocabulary': [
      'bart',
      (folder) => edit(folder, 'generation_config.json', (config) => ({ ...config, eos_token_id: 41 })),
      'INVALID_MODEL_FOLDER',
      /eos_token_id is 41/,
    ],
    'a pointer of Git LFS for a graph': [
      'bart',
      (folder) => writeFile(join(folder, 'encoder_model.onnx'), LFS),
      'INVALID_MODEL_FOLDER',
      /encoder_model\.onnx .*Git LFS pointer/,
    ],
    'a web page for a graph': [
      'bart',
      (folder) => writeFile(join(folder, 'encoder_model.onnx'), '<!doctype html><title>Not found</title>'),
      'INVALID_MODEL_FOLDER',
      /encoder_model\.onnx .*web page/,
    ],
    'a graph that is cut': [
      'bart',
      (folder) => truncate(join(folder, 'decoder_model.onnx'), 30_000),
      'INVALID_MODEL_FOLDER',
      /decoder_model\.onnx is not an ONNX graph/,
    ],
    'a graph of another kind': [
      'bart',
      async (folder) =>
        writeFile(join(folder, 'decoder_model.onnx'), await readFile(join(folder, 'encoder_model.onnx'))),
      'UNSUPPORTED_MODEL',
      /decoder_model\.onnx cannot be driven.*logits/,
    ],
    'a decoder of another model': [
      'bart',
      async (folder) =>
        writeFile(
          join(folder, 'decoder_with_past_model.onnx'),
          await readFile(join(exportFolder('llama'), 'onnx/model.onnx')),
        ),
      'INVALID_MODEL_FOLDER',
      /model\.onnx_data is missing/,
    ],
    'a masked language model': [
      'llama',
      (folder) => edit(folder, 'config.json', (config) => ({ ...config, architectures: ['RobertaForMaskedLM'] })),
      'UNSUPPORTED_MODEL',
      /model\.onnx in .* is of RobertaForMaskedLM, as config\.json says.*foretoken import/,
    ],
    'a classifier': [
      'llama',
      (folder) =>
        edit(folder, 'config.json', (config) => ({ ...config, architectures: ['BertForTokenClassification'] })),
      'UNSUPPORTED_MODEL',
      /BertForTokenClassification.*nothing to decode/,
    ],
    'no encoder': [
      'bart',
      (folder) => rm(join(folder, 'encoder_model.onnx')),
      'INVALID_MODEL_FOLDER',
      /reads sources by its input .* no encoder.*Fetch encoder_model\.onnx/,
    ],
    'weights beside the graph that are not there': [
      'llama',
      (folder) => rm(join(folder, 'onnx/model.onnx_data')),
      'INVALID_MODEL_FOLDER',
      /onnx\/model\.onnx_data is missing/,
    ],
    'weights beside the graph that are a pointer': [
      'llama',
      (folder) => writeFile(join(folder, 'onnx/model.onnx_data'), LFS),
      'INVALID_MODEL_FOLDER',
      /onnx\/model\.onnx_data .*Git LFS pointer/,
    ],
    'weights beside the graph that are a link to elsewhere': [
      'llama',
      async (folder) => {
        await rm(join(folder, 'onnx/model.onnx_data'));
        await symlink('/etc/hostname', join(folder, 'onnx/model.onnx_data'));
      },
      'INVALID_MODEL_FOLDER',
      /symbolic link/,
    ],
    'weights beside the graph that are too short': [
      'llama',
      (folder) => truncate(join(folder, 'onnx/model.onnx_data'), 100),
      'INVALID_MODEL_FOLDER',
      /reads \d+ bytes of "model\.onnx_data", which has 100/,
    ],
    'a graph that reads weights outside the folder': [
      'llama',
      async (folder) => {
        const path = join(folder, 'onnx/model.onnx');
        const bytes = await readFile(path);
        // Names of the same length.
        await writeFile(
          path,
          Buffer.from(bytes.toString('latin1').replaceAll('model.onnx_data', '../../etc/hosts'), 'latin1'),
        );
      },
      'INVALID_MODEL_FOLDER',
      /names the file "\.\.\/\.\.\/etc\/hosts"/,
    ],
  };

  it.each(Object.entries(cases))('%s', async (_, [kind, harm, code, message]) => {
    const folder = await exportCopy(kind);
    await harm(folder);
    const error = await refusal(folder);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it('one whose halves have another number of layers', async () => {
    const folder = await exportCopy('bart');
    const other = await readFile(join(folder, 'decoder_with_past_model.onnx'));
    // What the graph that begins gives of its second layer has another name.
    const path = join(folder, 'decoder_model.onnx');
    const bytes = await readFile(path);
    await writeFile(path, Buffer.from(bytes.toString('latin1').replaceAll('present.1.', 'present.7.'), 'latin1'));
    const error = await refusal(folder);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'output present.1.decoder.key' } });
    expect(other.length).toBeGreaterThan(0);
  });
});

describe('which graphs of a folder are taken', () => {
  it('is said by the option precision, else fp32 or the only one that there is', async () => {
    const { manifest } = await openModelFolder(exportFolder('marian'));
    expect(manifest).toMatchObject({ family: 'onnx-export', precision: 'fp32' });
    expect(Object.keys(manifest.files)).toEqual([
      'onnx/decoder_model_merged.onnx',
      'onnx/encoder_model.onnx',
      'tokenizer.json',
    ]);
    const only = await exportCopy(
      'marian',
      'onnx/encoder_model.onnx',
      'onnx/decoder_model_merged.onnx',
      'onnx/decoder_model.onnx',
      'onnx/decoder_with_past_model.onnx',
    );
    expect((await openModelFolder(only)).manifest).toMatchObject({ precision: 'q8' });
    await using mixed = await loadModel(exportFolder('marian'), {
      improveGraph: false,
      precision: { encoder: 'fp32', decoder: 'q8' },
    });
    expect(mixed.manifest).toMatchObject({ precision: 'fp32.q8' });
  });

  it('one that is not there is refused, saying which are; so is one of no exporter, and one of a model folder', async () => {
    const error = await refusal(exportFolder('marian'), { precision: 'q4' });
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'precision', required: ['fp32', 'q8'] },
    });
    const wrong = await refusal(exportFolder('marian'), { precision: 'q5' as never });
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'precision' } });
    const shipped = new URL('../../model-multi30k-en-de/model', import.meta.url);
    expect(await refusal(shipped, { precision: 'q8' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('several without fp32 have to be chosen among', async () => {
    const folder = await exportCopy('marian');
    for (const name of ['encoder_model', 'decoder_model_merged']) {
      const from = join(folder, `onnx/${name}_quantized.onnx`);
      await writeFile(join(folder, `onnx/${name}_int8.onnx`), await readFile(from));
    }
    for (const name of ['encoder_model', 'decoder_model_merged', 'decoder_model', 'decoder_with_past_model']) {
      await rm(join(folder, `onnx/${name}.onnx`));
    }
    expect(await refusal(folder)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: ['q8', 'int8'] } });
    await using model = await loadModel(folder, { precision: 'int8' });
    expect(model.manifest).toMatchObject({ precision: 'int8' });
  });
});
