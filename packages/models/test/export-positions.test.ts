import { collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { describe, expect, it } from 'vitest';
import { loadModel, openModelFolder, textProcessor } from '../src/index.js';
import { exportCopy, exportFolder, ortCopy } from './export-folders.js';
import { edit } from './export-refusal.js';
import { temporaryFolder } from './folder-fixtures.js';

const CLAIM = 5000;
/** What configs call most positions of sources, and of outputs. */
const OF_SOURCES = ['max_position_embeddings', 'max_source_positions'];
const OF_OUTPUTS = ['max_position_embeddings', 'max_target_positions', 'n_positions', 'n_ctx'];

/** For folders without a tokenizer. */
const IDS = textProcessor({ encode: () => new Int32Array(), decode: () => '', countUnknown: () => 0 });

/** A copy of a fixture whose config promises far more positions than its tables have. */
async function promising(kind: string, fields: readonly string[], copy = exportCopy): Promise<string> {
  const folder = await copy(kind);
  const claims = Object.fromEntries(fields.map((field) => [field, CLAIM]));
  await edit(folder, 'config.json', (config) => ({ ...config, ...claims }));
  return folder;
}

describe('where the positions of an export end', () => {
  it.each([
    ['llama', { max_position_embeddings: null, n_positions: 17 }, 17],
    ['llama', { max_position_embeddings: null, n_ctx: 19 }, 19],
    ['llama', { max_position_embeddings: null, max_seq_len: 21 }, 21],
    // Positions that are relative do not end.
    ['t5', { n_positions: 7 }, 512],
  ])('is read of the config of %s: %o', async (kind, fields, length) => {
    const folder = await exportCopy(kind);
    await edit(folder, 'config.json', (config) => ({ ...config, ...fields }));
    const { limits } = (await openModelFolder(folder)).manifest;
    expect(limits.targetLength).toBe(length);
    if (kind === 'llama') expect(limits.sourceLength).toBe(length);
  });

  it.each([
    ['bart', 'fp32', '.onnx'],
    ['marian', 'fp32', '.onnx'],
    ['marian', 'q8', '.onnx'],
    ['marian-separate', 'fp32', '.onnx'],
    ['m2m100', 'fp32', '.onnx'],
    ['bart', 'fp32', '.ort'],
    ['marian', 'fp32', '.ort'],
    ['m2m100', 'fp32', '.ort'],
  ] as const)('is read of the graphs of %s in %s, %s, where its config promises more', async (...given) => {
    const [kind, precision, ending] = given;
    const own = (await openModelFolder(exportFolder(kind), undefined, precision)).manifest.limits;
    const folder = await promising(kind, [...OF_SOURCES, ...OF_OUTPUTS], ending === '.ort' ? ortCopy : exportCopy);
    await using model = await loadModel(folder, { probe: false, improveGraph: false, precision, processor: IDS });
    expect(model.manifest.limits).toEqual(own);
    const part = model.part('autoregressive');
    const decode = (length: number, maxNewTokens: number) => {
      const source: TokenSource = new Int32Array(length).fill(7);
      return collect(greedy().decode(part, { sources: [source], maxNewTokens }));
    };
    const { sourceLength, targetLength } = own;
    const error: unknown = await decode(sourceLength + 1, 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SOURCE_TOO_LONG' });
    // The last row of the encoder's table, and that of the decoder's.
    expect((await decode(sourceLength, 2)).results).toHaveLength(1);
    await using forest = await part.open([Int32Array.of(7)]);
    const { length } = forest.start(0).prefix;
    const tokenId = new Int32Array(targetLength - length).fill(7);
    const parent = tokenId.map((_, index) => -1 - index);
    const nodes = { row: new Int32Array(tokenId.length), parent, tokenId };
    expect((await forest.extend(nodes, { kind: 'argmax' })).tokenIds).toHaveLength(tokenId.length);
    expect((await decode(3, CLAIM)).results[0].best.tokenIds.length).toBeLessThanOrEqual(targetLength);
  });

  it.each([
    ['spectra', 'fp32', exportCopy],
    ['spectra', 'fp16', exportCopy],
    ['spectra', 'q8', exportCopy],
    ['spectra', 'q8', ortCopy],
    ['spectra-en', 'fp32', exportCopy],
  ] as const)('is read of the decoder of %s in %s', async (kind, precision, copy) => {
    const folder = await promising(kind, ['max_target_positions'], copy);
    await edit(folder, 'generation_config.json', ({ max_length, ...config }) => config);
    const own = (await openModelFolder(exportFolder(kind), undefined, precision)).manifest.limits;
    const { limits } = (await openModelFolder(folder, undefined, precision)).manifest;
    expect(limits).toEqual({ ...own, targetLength: kind === 'spectra' ? 40 : 12 });
  });

  it('holds for graphs of ours too', async () => {
    const before = process.env.FORETOKEN_CACHE;
    process.env.FORETOKEN_CACHE = await temporaryFolder();
    try {
      await using model = await loadModel(await promising('marian', [...OF_SOURCES, ...OF_OUTPUTS]), { probe: false });
      expect(model.description.facts).toContainEqual([
        'improved graphs',
        expect.stringMatching(/^built of its weights/),
      ]);
      expect(model.part('autoregressive').maxLength).toBe(40);
    } finally {
      if (before === undefined) delete process.env.FORETOKEN_CACHE;
      else process.env.FORETOKEN_CACHE = before;
    }
  });
});
