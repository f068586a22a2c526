import { describe, expect, it } from 'vitest';
import { bytesOf, chunksOf, filesWith, labelOf, modelsSize, SHIPPED_LIMIT, SIZED, sizeOf } from '../src/sizes-bench.js';

describe('minified and compressed', () => {
  it.each(SIZED.map((one) => [labelOf(one), one] as const))('%s keeps its limit', async (_, one) => {
    const bytes = await sizeOf(one);
    // Less would be something that was not bundled.
    expect(bytes).toBeGreaterThan(400);
    expect(bytes).toBeLessThanOrEqual(one.limit);
  });

  it('models has a chunk for what some folders need, and says what the shipped folder takes in all', async () => {
    const { entry, chunks, shippedFolder, shippedChunks, all } = await modelsSize();
    expect(shippedFolder).toBeLessThanOrEqual(SHIPPED_LIMIT);
    expect(shippedFolder).toBeGreaterThan(entry);
    expect(all).toBeGreaterThan(shippedFolder);
    // It has all students, reads a tokenizer.json, and is of one family.
    const others = ['families/masked-lm/masked-lm-family', 'tokenizer/piece-tokenizer'];
    expect(Object.keys(chunks)).toEqual(expect.arrayContaining([...shippedChunks, ...others]));
    expect([...shippedChunks].sort()).toEqual([
      'families/marian/canvas-students',
      'families/marian/lattice-students',
      'families/marian/marian-family',
      'families/marian/side-files',
      'tokenizer/text-tokenizer',
    ]);
  });

  it('what an entry imports is counted with it, and what it loads later is not', async () => {
    const chunks = await chunksOf({ package: 'models', limit: 0 });
    const entry = chunks.find(({ isEntry }) => isEntry);
    const files = filesWith(chunks, entry);
    expect(bytesOf(files)).toBeGreaterThan(bytesOf(entry === undefined ? [] : [entry]));
    for (const file of files) expect(file.isDynamicEntry).toBe(false);
    expect(bytesOf(files)).toBeLessThan(bytesOf(chunks));
  });

  it('with all that it needs of core an import is larger, and core is as large as alone', async () => {
    const greedy = { package: 'greedy', name: 'greedy', limit: 0 };
    expect(await sizeOf(greedy, 'withCore')).toBeGreaterThan(await sizeOf(greedy));
    const core = { package: 'core', limit: 0 };
    expect(await sizeOf(core, 'withCore')).toBe(await sizeOf(core));
  });
});
