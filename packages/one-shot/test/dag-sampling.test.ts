import { dagGreedy, dagSampling } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import { dagLattice, decodeDag, everyDerivation, randomDag, sums } from './dag-scripted.js';

const VERTICES = 5;
const VOCABULARY = 4;

describe('dagSampling', () => {
  const SAMPLES = 4096;

  /** Pearson's statistic of samples against expected probabilities; cells that expect fewer than 5 are pooled. */
  function chiSquare(counts: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>) {
    let statistic = 0;
    let cells = 0;
    const pool = { seen: 0, awaited: 0 };
    const add = (seen: number, awaited: number): void => {
      statistic += (seen - awaited) ** 2 / awaited;
      cells++;
    };
    for (const [key, probability] of expected) {
      const awaited = probability * SAMPLES;
      if (awaited >= 5) add(counts.get(key) ?? 0, awaited);
      else {
        pool.awaited += awaited;
        pool.seen += counts.get(key) ?? 0;
      }
    }
    if (pool.awaited >= 5) add(pool.seen, pool.awaited);
    return { statistic, freedom: cells - 1 };
  }

  for (const { temperature, candidates } of [
    { temperature: 1, candidates: VOCABULARY },
    { temperature: 0.5, candidates: VOCABULARY },
    { temperature: 2, candidates: 2 },
  ]) {
    it(`draws paths and tokens as often as temperature ${temperature} and ${candidates} candidates say`, async () => {
      const dag = randomDag(11, VERTICES, VOCABULARY);
      const { vertices, k, logProbs, transitions, ...rest } = dagLattice(dag, candidates);
      // The definition: every local distribution is raised to a power and normalised again.
      const heat = (values: Float32Array, width: number) =>
        values.map((value, index) => {
          const local = values.subarray(index - (index % width), index - (index % width) + width);
          const total = local.reduce((sum, other) => sum + Math.exp(other / temperature), 0);
          return value / temperature - Math.log(total);
        });
      const edges = heat(transitions, vertices).map((value) => (value > -1e30 ? value : Number.NEGATIVE_INFINITY));
      const heated = { ...rest, vertices, k, logProbs: heat(logProbs, k), transitions: edges };
      const expected = new Map(
        [...sums(everyDerivation(heated))].map(([key, { logProb }]) => [key, Math.exp(logProb)]),
      );
      expect([...expected.values()].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
      const samples = await decodeDag(
        dagSampling({ temperature, candidates, hypotheses: SAMPLES }),
        dag,
        VOCABULARY,
        5,
      );
      const counts = new Map<string, number>();
      for (const { tokenIds } of samples) counts.set(String(tokenIds), (counts.get(String(tokenIds)) ?? 0) + 1);
      for (const key of counts.keys()) expect(expected.has(key), key).toBe(true);
      const { statistic, freedom } = chiSquare(counts, expected);
      expect(freedom).toBeGreaterThan(5);
      // Far above the 0.1 % quantile, about freedom + 3.1 * sqrt(2 * freedom) + 6.
      expect(statistic).toBeLessThan(freedom + 3.1 * Math.sqrt(2 * freedom) + 6);
    });
  }

  it('scores a sample by the model’s own probability of one of its derivations', async () => {
    const dag = randomDag(4, VERTICES, VOCABULARY);
    const all = everyDerivation(dagLattice(dag, VOCABULARY));
    const samples = await decodeDag(
      dagSampling({ temperature: 3, hypotheses: 50, candidates: VOCABULARY }),
      dag,
      VOCABULARY,
      1,
    );
    for (const { tokenIds, score } of samples) {
      const scores = all.filter((one) => String(one.tokenIds) === String(tokenIds)).map(({ logProb }) => logProb);
      expect(Math.min(...scores.map((logProb) => Math.abs(logProb - (score as number))))).toBeLessThan(1e-5);
    }
  });

  it('tends to greedy decoding as the temperature falls, and depends on the seed', async () => {
    const dag = randomDag(2, 12, VOCABULARY);
    const [greedy] = await decodeDag(dagGreedy(), dag, VOCABULARY);
    const [cold] = await decodeDag(dagSampling({ temperature: 1e-30, candidates: VOCABULARY }), dag, VOCABULARY, 3);
    expect(cold?.tokenIds).toEqual(greedy?.tokenIds);
    const outputs = await Promise.all(
      [1, 2, 3, 4].map(async (seed) =>
        String((await decodeDag(dagSampling({ candidates: 4 }), dag, VOCABULARY, seed))[0]?.tokenIds),
      ),
    );
    expect(new Set(outputs).size).toBeGreaterThan(1);
  });
});
