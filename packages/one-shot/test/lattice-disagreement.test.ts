import type { CtcLattice } from '@foretoken/core';
import { logSoftmax } from '@foretoken/core/kit';
import { dagGreedy, dagLookahead, latticeDisagreement } from '@foretoken/one-shot';
import { randomLogits, ranked } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagLattice, decodeDag, randomDag } from './dag-scripted.js';

const BLANK = 5;

/** A CTC lattice of given distributions over tokens 0 to 4 and the blank 5. */
function ctcLattice(frames: readonly (readonly number[])[]): CtcLattice {
  const order = frames.map((frame) => ranked(frame));
  return {
    kind: 'ctc',
    frames: frames.length,
    k: 6,
    blankId: BLANK,
    tokenIds: Int32Array.from(order.flat()),
    logProbs: Float32Array.from(order.flatMap((ids, frame) => ids.map((id) => Math.log(frames[frame][id])))),
    blankLogProbs: Float32Array.from(frames, (frame) => Math.log(frame[BLANK])),
  };
}

/** Probability of each collapsed output, by trying every alignment. */
function everyOutput(frames: readonly (readonly number[])[]): Map<string, number> {
  let paths: { labels: readonly number[]; probability: number }[] = [{ labels: [], probability: 1 }];
  for (const frame of frames) {
    paths = paths.flatMap(({ labels, probability }) =>
      frame.map((share, label) => ({ labels: [...labels, label], probability: probability * share })),
    );
  }
  const outputs = new Map<string, number>();
  for (const { labels, probability } of paths) {
    const said = labels.filter((label, at) => label !== BLANK && label !== labels[at - 1]).join(' ');
    outputs.set(said, (outputs.get(said) ?? 0) + probability);
  }
  return outputs;
}

describe('latticeDisagreement', () => {
  it('of CTC, counts tokens that the summed alignments would not put there', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 5 }), (seed, length) => {
        const score = randomLogits({ seed, vocabularySize: 6, endTokenId: -1, sharpness: 2 });
        const frames = Array.from({ length }, (_, frame) =>
          Array.from(logSoftmax(score(Int32Array.of(frame), [])), Math.exp),
        );
        const best = frames.map((frame) => ranked(frame)[0]);
        const chosen = best.filter((label, at) => label !== BLANK && label !== best[at - 1]);
        const outputs = [...everyOutput(frames)].map(([said, probability]) => ({
          said: said === '' ? [] : said.split(' ').map(Number),
          probability,
        }));
        let changed = 0;
        for (const [position, token] of chosen.entries()) {
          const begins = outputs.filter(({ said }) => chosen.slice(0, position).every((id, at) => said[at] === id));
          const mass = (next: number | undefined): number =>
            begins.reduce((sum, { said, probability }) => sum + (said[position] === next ? probability : 0), 0);
          if ([undefined, 0, 1, 2, 3, 4].some((next) => mass(next) > mass(token) + 1e-9)) changed++;
        }
        expect(latticeDisagreement([ctcLattice(frames)], 6)).toMatchObject({ positions: chosen.length, changed });
      }),
      { numRuns: 60 },
    );
  });

  it('of a DAG, is nought only where lookahead goes greedy’s way', async () => {
    let different = 0;
    for (let seed = 0; seed < 40; seed++) {
      const dag = randomDag(seed, 7, 5);
      const [greedy] = await decodeDag(dagGreedy(), dag, 5);
      const [lookahead] = await decodeDag(dagLookahead(), dag, 5);
      const { share, positions } = latticeDisagreement([dagLattice(dag, 1)], 5);
      expect(positions).toBe(greedy.tokenIds.length - 1);
      if (share === 0) expect(lookahead).toEqual(greedy);
      else different++;
    }
    expect(different).toBeGreaterThan(5);
  });

  it('refuses broken lattices by code', () => {
    const broken = ctcLattice([[0.5, 0.1, 0.1, 0.1, 0.1, 0.1]]);
    broken.logProbs[0] = Number.NaN;
    const dag = dagLattice(randomDag(1, 4, 5), 2);
    dag.transitions[1] = Number.NaN;
    for (const lattice of [broken, dag]) {
      expect(() => latticeDisagreement([lattice], 6)).toThrow(expect.objectContaining({ code: 'INVALID_SCORES' }));
    }
    // What names its kind and has nothing of it.
    for (const kind of ['ctc', 'dag']) {
      const bare = [{ kind, blankId: 0 } as unknown as CtcLattice];
      expect(() => latticeDisagreement(bare, 4)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
