import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { describe, expect, it } from 'vitest';
import { decoderRoles } from '../src/families/onnx-export/export-roles.js';
import { loadModel, openModelFolder } from '../src/index.js';
import type { AudioSource, SpeechInput, SpeechOutput } from '../src/speech.js';
import { exportCopy, exportFolder, ortCopy } from './export-folders.js';
import { KIND, model, PROCESSOR } from './genai-fixtures.js';
import { spectrumGoldens, spectrumSource } from './spectrum-fixtures.js';

const goldens = await spectrumGoldens(KIND);

/** The outputs of the first rows. */
const EXPECTED = goldens.rows.slice(0, 2).map((row) => row.greedy);

async function outputs(folder: string): Promise<number[][]> {
  await using open = await loadModel<SpeechInput, SpeechOutput, AudioSource>(folder, { probe: false });
  const sources = EXPECTED.map((_, row) => spectrumSource(goldens, goldens.rows[row]));
  const request = { sources, maxNewTokens: goldens.newTokens };
  const { results } = await collect(greedy<AudioSource>().decode(open.part('autoregressive'), request));
  return results.map(({ best }) => [...best.tokenIds]);
}

describe('a folder of onnxruntime-genai with an encoder of spectra', () => {
  it('says what it is, of its graphs and both configs', async () => {
    await using open = await loadModel(exportFolder(KIND), { probe: false });
    expect(open.manifest).toMatchObject({
      family: 'onnx-export',
      architecture: 'whisper',
      precision: 'as-built',
      spectrum: { mels: 8, frames: 3000 },
      limits: { sourceLength: 3000, targetLength: 40 },
      suppressed: [],
    });
    expect(Object.keys(open.manifest.files)).toEqual([
      'decoder.onnx',
      'decoder.onnx.data',
      'encoder.onnx',
      'encoder.onnx.data',
      'tokenizer.json',
    ]);
    expect(open.description.architecture).toBe('whisper, 2 decoder layers, 2 heads of 8');
  });

  it.each<[string, (folder: string) => Promise<unknown>]>([
    ['another number of layers', model(({ decoder }) => Object.assign(decoder, { num_hidden_layers: 1 }))],
    [
      'other sizes',
      model(({ decoder }) => Object.assign(decoder, { head_size: 99, hidden_size: 7, num_attention_heads: 3 })),
    ],
    ['more positions than it has', model((one) => Object.assign(one, { context_length: 4096 }))],
    [
      'keys called values, and values keys, throughout',
      model(({ encoder, decoder }) => {
        const [key, value] = ['present_value_cross_%d', 'present_key_cross_%d'];
        Object.assign(encoder.outputs, { cross_present_key_names: key, cross_present_value_names: value });
        const [pastKey, pastValue] = ['past_value_cross_%d', 'past_key_cross_%d'];
        Object.assign(decoder.inputs, { cross_past_key_names: pastKey, cross_past_value_names: pastValue });
      }),
    ],
    [
      'no name for the states',
      model(({ encoder: { outputs: given } }) => Object.assign(given, { encoder_hidden_states: 'gone' })),
    ],
    ['no audio processor', (folder) => rm(join(folder, PROCESSOR))],
    [
      'an audio processor of another name',
      async (folder) => {
        await writeFile(join(folder, 'sound.json'), '{"feature_extraction": {"sequence": []}}');
        await model((one) => Object.assign(one, { speech: { config_filename: 'sound.json' } }))(folder);
      },
    ],
  ])('decodes the same with %s in its configs', async (_, change) => {
    const folder = await exportCopy(KIND);
    await change(folder);
    expect(await outputs(folder)).toEqual(EXPECTED);
  });

  it("decodes the same of graphs in ONNX Runtime's own format", async () => {
    const folder = await ortCopy(KIND);
    const named = (part: 'encoder' | 'decoder') => ({ filename: `${part}.ort` });
    await model(({ encoder, decoder }) => [
      Object.assign(encoder, named('encoder')),
      Object.assign(decoder, named('decoder')),
    ])(folder);
    await model((one) => Object.assign(one, { context_length: 4096 }))(folder);
    expect((await openModelFolder(folder)).manifest.limits).toEqual({ sourceLength: 3000, targetLength: 40 });
    expect(await outputs(folder)).toEqual(EXPECTED);
  });

  it('is refused where its decoder was built for another device, which is said', () => {
    const tokens = { type: 'int32', dims: [null, null] };
    const inputs = { input_ids: tokens, cache_indirection: { type: 'int32', dims: [null, null, null] } };
    const graph = { file: 'decoder.onnx', inputs, outputs: { logits: { type: 'float32', dims: [null, null, 9] } } };
    expect(() => decoderRoles(graph)).toThrow(/cache_indirection.*build it for the CPU/);
  });
});
