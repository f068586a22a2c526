import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, openModelFolder } from '../src/index.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { edit, refusal } from './export-refusal.js';

const CONFIG = 'config.json';
const PREPROCESSOR = 'preprocessor_config.json';
const GENERATION = 'generation_config.json';
const TOKENIZER = 'tokenizer.json';
const HEIGHT = 8;

/** A field of a file, set; `undefined` takes it away. */
const set =
  (file: string, field: string, value: unknown) =>
  (folder: string): Promise<void> =>
    edit(folder, file, (content) => ({ ...content, [field]: value }));

describe('an export that reads spectra is refused where its files do not agree, with file, field and remedy', () => {
  const cases: Record<
    string,
    [harm: (folder: string) => Promise<unknown>, code: string, file: string, field: string, message: RegExp]
  > = {
    'a config without bands': [
      set(CONFIG, 'num_mel_bins', undefined),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'num_mel_bins',
      /is missing.*Fetch/,
    ],
    'a config with other bands': [
      set(CONFIG, 'num_mel_bins', 80),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'num_mel_bins',
      /num_mel_bins 80, but onnx\/encoder_model\.onnx takes input_features of 8.*Fetch config and graphs of one model/,
    ],
    'a config with bands that are no number': [
      set(CONFIG, 'num_mel_bins', '8'),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'num_mel_bins',
      /must be an integer/,
    ],
    'a config of longer sources': [
      set(CONFIG, 'max_source_positions', 1500),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'max_source_positions',
      /max_source_positions 1500, but .* of 100, which are 50/,
    ],
    'a config without positions of outputs': [
      set(CONFIG, 'max_target_positions', undefined),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'max_target_positions',
      /is missing/,
    ],
    'a config with no room for an output': [
      set(CONFIG, 'max_target_positions', 4),
      'INVALID_MODEL_FOLDER',
      CONFIG,
      'max_target_positions',
      /an integer from 8/,
    ],
    'a preprocessor of other bands': [
      set(PREPROCESSOR, 'feature_size', 80),
      'INVALID_MODEL_FOLDER',
      PREPROCESSOR,
      'feature_size',
      /feature_size 80, but by config\.json it is 8.*Fetch both/,
    ],
    'a preprocessor of longer windows': [
      set(PREPROCESSOR, 'nb_max_frames', 3000),
      'INVALID_MODEL_FOLDER',
      PREPROCESSOR,
      'nb_max_frames',
      /by config\.json it is 100/,
    ],
    'a preprocessor of another rate': [
      set(PREPROCESSOR, 'sampling_rate', 8000),
      'UNSUPPORTED_MODEL',
      PREPROCESSOR,
      'sampling_rate',
      /16000 is required.*another model/,
    ],
    'a preprocessor that adds noise': [
      set(PREPROCESSOR, 'dither', 0.1),
      'UNSUPPORTED_MODEL',
      PREPROCESSOR,
      'dither',
      /0 is required/,
    ],
    'a preprocessor that is no object': [
      (folder) => writeFile(join(folder, PREPROCESSOR), '[]'),
      'UNSUPPORTED_MODEL',
      PREPROCESSOR,
      'the whole file',
      /an object is required/,
    ],
    'a tokenizer that tells nothing': [
      (folder) =>
        edit(folder, TOKENIZER, (content) => ({
          ...content,
          added_tokens: (content.added_tokens as { content: string }[]).filter(
            (one) => one.content !== '<|notimestamps|>',
          ),
        })),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'added_tokens',
      /no token <\|notimestamps\|>.*Fetch/,
    ],
    'another end token': [
      set(GENERATION, 'eos_token_id', 5),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'eos_token_id',
      /different models/,
    ],
    'a token for no timestamps of another model': [
      set(GENERATION, 'no_timestamps_token_id', 282),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'no_timestamps_token_id',
      /has 281 where generation_config\.json has no_timestamps_token_id = 282: they are of different models/,
    ],
    'a language of another model': [
      set(GENERATION, 'lang_to_id', { '<|en|>': 272, '<|xx|>': 9, '<|fr|>': 275 }),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'lang_to_id["<|fr|>"]',
      /has 274 where .* = 275.*Fetch both/,
    ],
    'a task of another model': [
      set(GENERATION, 'task_to_id', { transcribe: 277, translate: 278 }),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'task_to_id["translate"]',
      /has 276 where .* = 278.*Fetch both/,
    ],
    'a tokenizer without languages': [
      (folder) =>
        edit(folder, TOKENIZER, (content) => ({
          ...content,
          added_tokens: (content.added_tokens as { content: string }[]).filter(
            (one) => !/^<\|[a-z]{2,3}\|>$/.test(one.content),
          ),
        })),
      'INVALID_MODEL_FOLDER',
      TOKENIZER,
      'added_tokens',
      /no token <\|en\|>.*Fetch/,
    ],
    'a suppressed token that is none': [
      set(GENERATION, 'begin_suppress_tokens', [999]),
      'INVALID_MODEL_FOLDER',
      GENERATION,
      'begin_suppress_tokens',
      /is 999/,
    ],
  };

  it.each(Object.entries(cases))('%s', async (_, [harm, code, file, field, message]) => {
    const folder = await exportCopy('spectra');
    await harm(folder);
    const error = await refusal(folder);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code, details: { file, field } });
  });

  it('no tokenizer, no encoder, no decoder, no graph that goes on', async () => {
    const missing: readonly (readonly [file: string, code: string, message: RegExp])[] = [
      [TOKENIZER, 'UNSUPPORTED_MODEL', /no tokenizer\.json.*save_pretrained/],
      ['onnx/encoder_model.onnx', 'INVALID_MODEL_FOLDER', /no encoder.*Fetch encoder_model\.onnx/],
      ['onnx/decoder_model.onnx', 'INVALID_MODEL_FOLDER', /no decoder.*decoder_model_merged\.onnx/],
      ['onnx/decoder_with_past_model.onnx', 'UNSUPPORTED_MODEL', /decoder_model\.onnx cannot be driven.*a cache/],
    ];
    for (const [file, code, message] of missing) {
      const error = await refusal(await exportCopy('spectra', file), { precision: 'fp32' });
      expect(error.message).toMatch(message);
      expect(error.code).toBe(code);
    }
  });

  it('a graph that does not say what it reads, of another size than the config', async () => {
    const folder = await exportCopy('spectra');
    const path = join(folder, 'onnx/encoder_model.onnx');
    await writeFile(path, openBands(await readFile(path)));
    await using model = await loadModel(folder, { improveGraph: false, probe: false });
    expect(model.manifest).toMatchObject({ spectrum: { mels: HEIGHT, frames: 100 } });
    await edit(folder, CONFIG, (config) => ({ ...config, num_mel_bins: 16 }));
    await rm(join(folder, PREPROCESSOR));
    const error = await refusal(folder);
    expect(error.message).toMatch(
      /encoder_model\.onnx does not read a spectrum of 16 bands and 100 frames.*Fetch config and graphs/,
    );
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'onnx/encoder_model.onnx', received: [16, 100] },
    });
  });
});

describe('an export that reads spectra', () => {
  it('needs no config of a preprocessor', async () => {
    const { manifest } = await openModelFolder(await exportCopy('spectra', PREPROCESSOR));
    expect(manifest).toMatchObject({
      spectrum: { mels: HEIGHT, frames: 100 },
      limits: { sourceLength: 100, targetLength: 40 },
      suppressed: [3, 40, 41, 271],
      suppressedFirst: [220, 270],
    });
  });

  it('lies in a folder of its own or beside its config, with weights beside the graph', async () => {
    const { manifest } = await openModelFolder(exportFolder('spectra-en'));
    expect(Object.keys(manifest.files)).toEqual([
      'decoder_model_merged.onnx',
      'decoder_model_merged.onnx_data',
      'encoder_model.onnx',
      'tokenizer.json',
    ]);
    expect(manifest).toMatchObject({ family: 'onnx-export', precision: 'fp32', speech: { noTimestampsTokenId: 281 } });
    expect((manifest as unknown as { speech: object }).speech).not.toHaveProperty('languages');
  });
});

/** The encoder without the number of its bands: the first dimension of that size, of its first input, becomes a name. */
function openBands(graph: Buffer): Buffer {
  // dim { dim_value: 8 } becomes dim { dim_param: "" }, of the same length.
  const at = graph.indexOf(Buffer.from([0x0a, 2, 0x08, HEIGHT]), graph.indexOf('input_features'));
  expect(at).toBeGreaterThan(0);
  const open = Buffer.from(graph);
  open.set([0x0a, 2, 0x12, 0], at);
  return open;
}
