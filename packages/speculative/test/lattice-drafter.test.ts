import type { CtcLattice, DagLattice } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import { proposeOne } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { type TinyLattice, tinyLattice } from '../../core/test/ctc-oracle.js';
import { latticeDrafter } from '../src/index.js';
import { modelOf, type Options, pathTo, propose } from './tiny-drafts.js';

const BLANK = 0;

/** Frames that are sure of 1, then 2, then 3, blanks between. */
const SURE: TinyLattice = tinyLattice(
  [1, BLANK, 2, BLANK, 3, BLANK].map((label) => Array.from({ length: 10 }, (_, id) => (id === label ? 991 : 1))),
  BLANK,
  4,
);

describe('latticeDrafter', () => {
  it('goes on after a token that the lattice did not expect', async () => {
    expect([...(await propose(SURE, [[]])).tokenIds]).toEqual([1, 2, 3]);
    // 7 may stand for 2, or have come in between: both are offered.
    const draft = await propose(SURE, [[], [1, 7]]);
    expect(Array.from(draft.tokenIds, (_, node) => pathTo(draft, node).join()).sort()).toEqual(['2', '2,3', '3']);
    expect((await propose(SURE, [[1, 2, 3]])).tokenIds).toHaveLength(0);
  });

  it('proposes nothing where no alignment fits the prefix', async () => {
    expect((await propose(SURE, [[1, 1, 1, 1, 1, 1, 1]])).tokenIds).toHaveLength(0);
  });

  it('never proposes the end token or anything after it', async () => {
    expect([...(await propose(SURE, [[]], {}, undefined, 2)).tokenIds]).toEqual([1]);
  });

  it('keeps within the limits', async () => {
    expect((await propose(SURE, [[]], {}, { nodes: 2, depth: 9 })).tokenIds).toHaveLength(2);
    expect((await propose(SURE, [[]], {}, { nodes: 9, depth: 1 })).tokenIds).toHaveLength(1);
    expect((await propose(SURE, [[]], { maxNodes: 2 })).tokenIds).toHaveLength(2);
  });

  it('leaves out what the decoder says is too improbable to pay', async () => {
    const limit = { nodes: 9, depth: 9 };
    const paths = (await propose(SURE, [[]], {}, limit)).probabilities as Float32Array;
    const two = paths[0] * paths[1];
    expect((await propose(SURE, [[]], {}, { ...limit, minProbability: two - 1e-6 })).tokenIds).toHaveLength(2);
    expect((await propose(SURE, [[]], {}, { ...limit, minProbability: 1 })).tokenIds).toHaveLength(0);
  });

  it('proposes a chain of the best of four candidates a frame, unless told otherwise', async () => {
    const model = modelOf([SURE.lattice], 10, 9, 16);
    const session = await latticeDrafter({ model, minProbability: 0.001 }).open([null], {});
    const request = { row: 0, prefix: Int32Array.of(), limit: { nodes: 9, depth: 9 } };
    const { tokenIds, parents } = await proposeOne(session, request);
    expect([...tokenIds.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect([...parents]).toEqual([...tokenIds.keys()].map((node) => node - 1));
    expect(model.calls).toEqual([{ k: 4 }]);
  });

  it('runs its model once for all rows, with candidates capped at what the model has', async () => {
    const model = modelOf([SURE.lattice, SURE.lattice], 10, 9, 4);
    const session = await latticeDrafter({ model }).open([null, null], {});
    const limit = { nodes: 3, depth: 3 };
    const drafts = await session.propose([
      { row: 1, prefix: Int32Array.of(), limit },
      { row: 0, prefix: Int32Array.of(1), limit },
    ]);
    expect(drafts.map(({ tokenIds }) => [...tokenIds])).toEqual([
      [1, 2, 3],
      [2, 3],
    ]);
    expect(model.calls).toEqual([{ k: 4 }]);
    expect(session.forwards).toBe(1);
  });

  it('refuses a DAG model and options out of range before any compute', () => {
    const dag = { kind: 'dag' } as DagLattice;
    expect(() => latticeDrafter({ model: modelOf([dag], 10, 9) })).toThrowError(
      expect.objectContaining({ code: 'UNSUPPORTED_CAPABILITY', message: expect.stringContaining('dag') }),
    );
    const model = modelOf([SURE.lattice], 10, 9);
    const wrong: Options[] = [{ candidates: 0 }, { maxNodes: 0 }, { minProbability: 2 }];
    for (const options of [...wrong, { shape: 'bush' as 'tree' }]) {
      expect(() => latticeDrafter({ model, ...options })).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('a lattice with scores that are none', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is refused where it says %s, by row and frame', async (wrong) => {
    const sound = (): CtcLattice => ({
      kind: 'ctc',
      frames: 3,
      k: 2,
      blankId: 4,
      tokenIds: Int32Array.of(1, 2, 2, 3, 1, 3),
      logProbs: Float32Array.of(-1, -2, -1, Number.NEGATIVE_INFINITY, -1, -2),
      blankLogProbs: Float32Array.of(-3, Number.NEGATIVE_INFINITY, -3),
    });
    await latticeDrafter({ model: modelOf([sound(), sound()], 5, 0) }).open([null, null], {});
    for (const field of ['logProbs', 'blankLogProbs'] as const) {
      for (let at = 0; at < sound()[field].length; at++) {
        const broken = sound();
        broken[field][at] = wrong;
        const position = field === 'logProbs' ? at >> 1 : at;
        await expect(
          latticeDrafter({ model: modelOf([sound(), broken], 5, 0) }).open([null, null], {}),
        ).rejects.toMatchObject({ code: 'INVALID_SCORES', details: { row: 1, position } });
      }
    }
  });

  it('is refused where a frame leaves nothing possible, however many labels it lists', async () => {
    const never = Number.NEGATIVE_INFINITY;
    for (const k of [1, 4]) {
      const frames = (second: number): CtcLattice => ({
        kind: 'ctc',
        frames: 2,
        k,
        blankId: 4,
        tokenIds: Int32Array.from({ length: 2 * k }, (_, cell) => cell % k),
        logProbs: Float32Array.from({ length: 2 * k }, (_, cell) => (cell < k ? -2 : second)),
        blankLogProbs: Float32Array.of(-1, second),
      });
      await expect(
        latticeDrafter({ model: modelOf([frames(-2), frames(never)], 5, 0) }).open([null, null], {}),
      ).rejects.toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT', details: { row: 1, position: 1 } });
    }
  });
});

describe('a language model beside the lattice', () => {
  it('is asked about what follows the whole prefix, and from its beginning after another', async () => {
    const asked = new Set<string>();
    const model: LanguageModel<readonly number[]> = {
      start: () => [],
      next: (state, tokenId) => [...state, tokenId],
      score: (state) => {
        asked.add(state.join());
        return -1;
      },
      end: () => -1,
    };
    const weights = [
      [0.1, 0.5, 0.4],
      [0.2, 0.4, 0.4],
      [0.2, 0.3, 0.5],
    ];
    const tiny = tinyLattice(weights, 0, 3);
    const options = { languageModel: { model, weight: 0.5 }, minProbability: 0.01 };
    for (const prefixes of [[[1]], [[1], [1, 2]], [[1], [2]]]) {
      const last = (prefixes.at(-1) as number[]).join();
      asked.clear();
      await propose(tiny, prefixes, options);
      expect([...asked]).toContain(last);
      asked.clear();
      await propose(tiny, prefixes.slice(-1), options);
      expect([...asked].every((state) => `${state},`.startsWith(`${last},`))).toBe(true);
    }
  });
});
