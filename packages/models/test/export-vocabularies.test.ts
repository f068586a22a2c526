import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, textProcessor } from '../src/index.js';
import { encoderDecoderGoldens, encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { exportCopy } from './export-folders.js';
import { refusal } from './export-refusal.js';
import { temporaryFolder } from './folder-fixtures.js';

const TOKENIZER = ['source.spm', 'target.spm', 'vocab.json', 'target_vocab.json'];

/** An export of a model with 41 tokens of sources and 47 of outputs, with its tokenizer. */
async function separateFolder(): Promise<string> {
  const folder = await exportCopy('marian-separate');
  for (const file of TOKENIZER) await cp(join(encoderDecoderWeights('marian-separate'), file), join(folder, file));
  return folder;
}

describe('an export whose sources have a vocabulary of their own', () => {
  const before = process.env.FORETOKEN_CACHE;
  beforeAll(async () => {
    process.env.FORETOKEN_CACHE = await temporaryFolder();
  });
  afterAll(() => {
    if (before === undefined) delete process.env.FORETOKEN_CACHE;
    else process.env.FORETOKEN_CACHE = before;
  });

  it.each([
    ['as exported', false],
    ['by graphs of ours', undefined],
  ])('reads and writes by both, %s', async (_, improveGraph) => {
    await using model = await loadModel(await separateFolder(), { probe: false, improveGraph });
    expect(model.description.ownSourceTokens).toBe(true);
    expect(model.description.facts).toContainEqual(['source vocabulary', '41 tokens of its own']);
    const improved = model.description.facts.find(([name]) => name === 'improved graphs');
    if (improveGraph === undefined) expect(improved?.[1]).toMatch(/^built of its weights/);
    else expect(improved).toBeUndefined();
    const { rows } = await encoderDecoderGoldens('marian-separate');
    for (const { text, source, beginning, greedy: tokens } of rows) {
      const result = await model.decode(text, greedy(), { maxNewTokens: 20 });
      expect([...result.source]).toEqual(source);
      expect([...result.tokenIds]).toEqual([...beginning.slice(1), ...tokens]);
    }
  });

  it('takes the ids that sources have, and no others', async () => {
    const folder = await separateFolder();
    await using model = await loadModel(folder, { probe: false, improveGraph: false });
    const sources = (id: number) => ({ sources: [Int32Array.of(id, 0)], maxNewTokens: 1 });
    const decode = (id: number) => collect(greedy().decode(model.part('autoregressive'), sources(id)));
    expect((await decode(40)).results).toHaveLength(1);
    await expect(decode(41)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('has no text without both lists of tokens: it says which files it needs, and decodes token ids', async () => {
    const folder = await separateFolder();
    await rm(join(folder, 'target_vocab.json'));
    expect((await refusal(folder)).message).toMatch(
      /no tokenizer.*all four.*Put source\.spm, .* and target_vocab\.json of .* into it, and load it again/,
    );
    const processor = textProcessor({ encode: () => new Int32Array(), decode: () => '', countUnknown: () => 0 });
    await using model = await loadModel(folder, { probe: false, improveGraph: false, processor });
    expect(model.description.facts).toContainEqual(['tokenizer', expect.stringMatching(/target_vocab\.json/)]);
    const [{ source, greedy: tokens }] = (await encoderDecoderGoldens('marian-separate')).rows;
    const request = { sources: [Int32Array.from(source)], maxNewTokens: 20 };
    const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
    expect([...results[0].best.tokenIds]).toEqual(tokens);
  });
});
