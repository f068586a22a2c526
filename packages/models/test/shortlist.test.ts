import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CtcLattice } from '@foretoken/core';
import { importModel } from '@foretoken/importers';
import { describe, expect, it } from 'vitest';
import { readShortlist, SHORTLIST_FILE, Shortlist } from '../src/drivers/shortlist.js';
import { loadModel } from '../src/index.js';
import { editManifest, temporaryFolder } from './folder-fixtures.js';
import { safetensors, TINY, writeTinyCtc, writeTinyMarian } from './tiny-marian.js';

// Tokens 3 to 10 are words, 11 the start token. That is the padding of config.json too, so the blank is shown as it.
const BLANK = 11;
const SHAPE = { ...TINY, vocabularySize: 12 };
const WORDS = [3, 4, 5, 6, 7, 8, 9, 10];
const SOURCES = [Int32Array.of(3, 7, 2), Int32Array.of(9, 2)];

/** Lists of the source tokens that have any, the others' being empty. */
function bySource(lists: Readonly<Record<number, readonly number[]>>, max = 3): number[][] {
  return Array.from({ length: SHAPE.vocabularySize }, (_, tokenId) =>
    Array.from({ length: max }, (_, index) => lists[tokenId]?.[index] ?? -1),
  );
}

type Tensors = Parameters<typeof safetensors>[2];

async function imported(tensors?: Tensors): Promise<string> {
  const ctc = await writeTinyCtc(SHAPE);
  if (tensors !== undefined) await writeFile(join(ctc, SHORTLIST_FILE), safetensors({}, 1, tensors));
  const target = join(await temporaryFolder(), 'model');
  await importModel(await writeTinyMarian(SHAPE), target, { ctc, weights: 'float32' });
  return target;
}

async function emitted(folder: string, k: number, variant = 'draft'): Promise<CtcLattice[]> {
  await using model = await loadModel(folder, { probe: false });
  return (await model.part('lattice', { variant }).emit(SOURCES, { k })) as CtcLattice[];
}

/** Natural-log probabilities of a frame's candidates by token. */
function frameOf({ tokenIds, logProbs, k }: CtcLattice, frame: number): Map<number, number> {
  const cells = Array.from({ length: k }, (_, index) => frame * k + index);
  return new Map(cells.map((cell) => [tokenIds[cell], logProbs[cell]]));
}

describe('a shortlist', () => {
  it('is the common tokens and those of the sources, once each and in order, and then the last', () => {
    const shortlist = new Shortlist(
      Int32Array.of(5, 3),
      Int32Array.from(bySource({ 7: [9, 3], 9: [4, 9, 8] }).flat()),
      3,
      SHAPE.vocabularySize,
    );
    expect([...shortlist.of(SOURCES, 0)]).toEqual([3, 4, 5, 8, 9, 0]);
    expect([...shortlist.of([Int32Array.of(10, 2)], 0)]).toEqual([3, 5, 0]);
    expect([...shortlist.tokenIds()].sort()).toEqual([3, 4, 5, 8, 9]);
  });

  it.each(['draft', 'fast'])(
    'restricts the %s lattice to its tokens and the blank, and changes nothing else',
    async (from) => {
      const all = await emitted(await imported({ common: WORDS, by_source: bySource({}) }), 9, from);
      const some = await emitted(
        await imported({ common: [4, 6], by_source: bySource({ 7: [9], 9: [8, 9] }) }),
        3,
        from,
      );
      const listed = [4, 6, 8, 9, BLANK];
      for (const [row, lattice] of some.entries()) {
        const whole = all[row];
        expect(lattice.frames).toBe(2 * (SOURCES[row] as Int32Array).length);
        for (let frame = 0; frame < lattice.frames; frame++) {
          const truth = frameOf(whole, frame);
          expect(truth.size).toBe(WORDS.length + 1);
          const mass = listed.reduce((sum, tokenId) => sum + Math.exp(truth.get(tokenId) as number), 0);
          const expected = (tokenId: number): number => (truth.get(tokenId) as number) - Math.log(mass);
          const best = [...listed].sort((a, b) => expected(b) - expected(a)).slice(0, 3);
          const offered = frameOf(lattice, frame);
          expect([...offered.keys()]).toEqual(best);
          for (const [tokenId, logProb] of offered) expect(logProb).toBeCloseTo(expected(tokenId), 5);
          expect(lattice.blankLogProbs[frame]).toBeCloseTo(expected(BLANK), 5);
        }
      }
    },
  );

  it('leaves the one-shot lattice alone', async () => {
    const plain = await imported();
    const listed = await imported({ common: [4], by_source: bySource({}) });
    const lattices = await Promise.all(
      [plain, listed].map(async (folder) => {
        await using model = await loadModel(folder, { probe: false });
        return await model.part('lattice').emit(SOURCES, { k: 6 });
      }),
    );
    expect(lattices[0]).toEqual(lattices[1]);
  });

  it('is refused where it does not fit', async () => {
    const read = async (tensors: Tensors) => {
      const place = { folder: 'student', file: SHORTLIST_FILE };
      return readShortlist(safetensors({}, 1, tensors), place, SHAPE.vocabularySize, 0);
    };
    const good = { common: [3], by_source: bySource({ 3: [4] }) };
    expect((await read(good)).min).toBe(1);
    for (const [tensors, field] of [
      [{ common: [3] }, 'by_source'],
      [{ ...good, common: bySource({}) }, 'common'],
      [{ ...good, by_source: bySource({}).slice(1) }, 'by_source'],
      [{ ...good, common: [12] }, 'common'],
      [{ ...good, common: [3, -1] }, 'common'],
      [{ ...good, common: [0] }, 'common'],
      [{ ...good, common: [4, 3, 4] }, 'common'],
      [{ ...good, by_source: bySource({ 3: [0] }) }, 'by_source'],
      [{ ...good, by_source: bySource({ 3: [-2] }) }, 'by_source'],
    ] as const) {
      await expect(read(tensors)).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field } });
    }
  });

  it('may list only what the head can say', async () => {
    await expect(imported({ common: [1], by_source: bySource({}) })).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: SHORTLIST_FILE, received: 1 },
    });
  });

  it('goes with the drafting graph that takes one', async () => {
    const listed = await imported({ common: [4], by_source: bySource({}) });
    await editManifest(listed, ['shortlist'], undefined);
    await expect(loadModel(listed)).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
    const plain = await imported({ common: [4], by_source: bySource({}) });
    await editManifest(plain, ['graphs', 'ctcDraft'], undefined);
    await expect(loadModel(plain)).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { field: 'graphs.ctcDraft' },
    });
  });
});
