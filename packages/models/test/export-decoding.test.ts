import { appendFile, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { describe, expect, it } from 'vitest';
import { familyOf, loadModel, memoryFolder, openModelFolder, textProcessor } from '../src/index.js';
import { dependentOperators, operatorsOf } from '../src/onnx/operators.js';
import { encoderDecoderGoldens, encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { expectedRows, exportCopy, exportFolder } from './export-folders.js';
import { edit, refusal } from './export-refusal.js';

describe('an export whose products depend on what is beside them', () => {
  it('says so, and by which operators', async () => {
    const { manifest } = await openModelFolder(exportFolder('marian'));
    const fp32 = (await familyOf(manifest)).describe(manifest);
    expect(fp32.facts.map(([name]) => name)).toEqual(['graphs', 'precision']);
    await using model = await loadModel(exportFolder('marian'), { precision: 'q8', probe: false, improveGraph: false });
    expect(model.manifest).toMatchObject({ dependentRows: ['DynamicQuantizeLinear'] });
    expect(model.description.facts.at(-1)).toEqual([
      'rows',
      expect.stringMatching(/DynamicQuantizeLinear.*other outputs/),
    ]);
  });

  it('decodes all the same', async () => {
    await using model = await loadModel(exportFolder('marian'), { precision: 'q8', probe: false, improveGraph: false });
    const target = model.part('autoregressive');
    const sources = (await expectedRows('marian')).map(({ source }) => Int32Array.from(source));
    for (const decoder of [greedy(), speculative({ drafter: ngramDrafter({ vocabulary: target.vocabulary }) })]) {
      const { results } = await collect(decoder.decode(target, { sources, maxNewTokens: 8 }));
      expect(results).toHaveLength(sources.length);
    }
  });

  it('is found in branches and functions', async () => {
    const quantized = await readFile(join(exportFolder('marian'), 'onnx/decoder_model_merged_quantized.onnx'));
    // All of a merged decoder is in the branches of one operator.
    expect(dependentOperators(operatorsOf(quantized))).toEqual(['DynamicQuantizeLinear']);
  });
});

describe('an exported model in text', () => {
  it('reads and writes it, from any source of files', async () => {
    const files = new Map<string, Uint8Array>();
    const { manifest } = await openModelFolder(exportFolder('t5'));
    for (const name of ['config.json', 'generation_config.json', ...Object.keys(manifest.files)]) {
      files.set(name, new Uint8Array(await readFile(join(exportFolder('t5'), name))));
    }
    await using here = await loadModel(exportFolder('t5'), { probe: false, improveGraph: false });
    await using kept = await loadModel(memoryFolder(files), { probe: false, improveGraph: false });
    const { text } = await here.decode('abc', greedy(), { maxNewTokens: 12 });
    expect(text.length).toBeGreaterThan(0);
    expect((await kept.decode('abc', greedy(), { maxNewTokens: 12 })).text).toBe(text);
  });

  it('goes on with a prompt', async () => {
    await using model = await loadModel(exportFolder('llama'), { improveGraph: false });
    const [row] = await expectedRows('llama');
    const prompt = model.tokenizer.decode(row.source);
    const result = await model.decode(prompt, greedy(), { maxNewTokens: 20 });
    expect([...result.tokenIds]).toEqual(row.greedy);
  });

  it('ends at each of several end tokens', async () => {
    const folder = await exportCopy('llama');
    const [row] = await expectedRows('llama');
    const [, , third] = row.greedy;
    await edit(folder, 'generation_config.json', (config) => ({ ...config, eos_token_id: [1, third] }));
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    const result = await model.decode(model.tokenizer.decode(row.source), greedy(), { maxNewTokens: 20 });
    expect([...result.tokenIds]).toEqual(row.greedy.slice(0, 3));
  });

  it('is read by a SentencePiece model alone, whose pieces are numbered as they lie in it', async () => {
    const folder = await exportCopy('t5', 'tokenizer.json');
    await copyFile(join(encoderDecoderWeights('mt5'), 'spiece.model'), join(folder, 'spiece.model'));
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    const { rows } = await encoderDecoderGoldens('mt5');
    for (const { text, source } of rows) expect([...model.tokenizer.encode(text)]).toEqual(source);
    const sources = [Int32Array.from(rows[0].source)];
    const { results } = await collect(greedy().decode(model.part('autoregressive'), { sources, maxNewTokens: 12 }));
    const { text } = await model.decode(rows[0].text, greedy(), { maxNewTokens: 12 });
    expect(text).toBe(model.tokenizer.decode(results[0].best.tokenIds));
  });

  it.each([
    ['without a tokenizer', {}],
    ['whose kind numbers its pieces in another way', { model_type: 'pegasus' }],
  ])('is not, %s: it says so, and decodes token ids where a processor is given', async (_, config) => {
    const folder = await exportCopy('t5', 'tokenizer.json');
    if ('model_type' in config) {
      await copyFile(join(encoderDecoderWeights('mt5'), 'spiece.model'), join(folder, 'spiece.model'));
    }
    await edit(folder, 'config.json', (content) => ({ ...content, ...config }));
    const { message } = await refusal(folder);
    expect(message).toMatch(
      /no tokenizer.*Looked for were tokenizer\.json, .*spiece\.model.*Put tokenizer\.json .*load it again/,
    );
    expect(message).not.toContain('foretoken import');
    const processor = textProcessor({ encode: () => new Int32Array(), decode: () => '', countUnknown: () => 0 });
    await using model = await loadModel(folder, { probe: false, improveGraph: false, processor });
    expect(model.description.facts).toContainEqual(['tokenizer', expect.stringMatching(/^none .*tokenizer\.json/)]);
    expect(Object.keys(model.manifest.files)).not.toContain('spiece.model');
    expect(() => model.tokenizer).toThrow(/no tokenizer.*tokenizer\.json/);
    const [row] = await expectedRows('t5');
    const sources = [Int32Array.from(row.source)];
    const { results } = await collect(greedy().decode(model.part('autoregressive'), { sources, maxNewTokens: 20 }));
    expect([...results[0].best.tokenIds]).toEqual(row.greedy);
  });

  it('is loaded again after a file that it does not use has changed', async () => {
    const folder = await exportCopy('bart');
    await appendFile(join(folder, 'expected.json'), ' ');
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    expect(model.manifest.name).toMatch(/^foretoken-export-bart-/);
  });
});
