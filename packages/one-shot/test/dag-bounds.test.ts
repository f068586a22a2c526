import { collect, type DagLattice, type LatticeModel, type TokenSource } from '@foretoken/core';
import { dagBeam, dagGreedy, dagJointViterbi, dagLookahead, dagSampling, dagViterbi } from '@foretoken/one-shot';
import { eventsOf, SteppingClock } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DagEdges, followedEdges, MAX_FOLLOWED } from '../src/dag/dag-edges.js';
import { readDag } from '../src/dag/dag-graph.js';
import { prefixBeam } from '../src/dag/prefix-beam.js';
import { viterbiPaths } from '../src/dag/viterbi-paths.js';
import { OutputEnds } from '../src/output-ends.js';
import { atOnce } from '../src/steps.js';
import { dagLattice, everyDerivation, randomDag, scriptedDagModel } from './dag-scripted.js';

const SOURCE = Int32Array.of(1, 2);

/** Every vertex says token 1 or 2, and every edge is as probable as any other: no path is better than all others. */
function flat(vertices: number): DagLattice {
  const logProbs = Float32Array.from({ length: 2 * vertices }, (_, entry) => Math.log(entry % 2 === 0 ? 0.6 : 0.4));
  const transitions = new Float32Array(vertices * vertices).fill(Number.NEGATIVE_INFINITY);
  for (let from = 0; from < vertices; from++) {
    transitions.fill(-Math.log(vertices - 1 - from), from * vertices + from + 1, (from + 1) * vertices);
  }
  const tokenIds = Int32Array.from({ length: 2 * vertices }, (_, entry) => 1 + (entry % 2));
  return { kind: 'dag', vertices, k: 2, tokenIds, logProbs, transitions };
}

/** Steps of a computation, and what it returns. */
function counted<Result>(steps: Generator<unknown, Result, undefined>): { count: number; result: Result } {
  for (let count = 0; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return { count, result: value };
  }
}

describe('dagBeam follows', () => {
  const beamSize = 3;
  const search = (vertices: number) => {
    const graph = atOnce(readDag(flat(vertices), 3, 0));
    const edges = atOnce(followedEdges(graph, 0));
    let standing = 0;
    let max = 0;
    const counting: DagEdges = {
      ...edges,
      from: (vertex) => {
        standing++;
        const list = edges.from(vertex);
        max = Math.max(max, list.to.length);
        return list;
      },
    };
    const ends = new OutputEnds({}, 0);
    const options = { beamSize, outputs: 1, lengthPenalty: 1 };
    const { count, result } = counted(prefixBeam({ graph, row: 0, ends, edges: counting }, options));
    return { standing, max, count, result };
  };

  it('a bounded number of vertices and edges at each length, so time is linear in the length', () => {
    for (const vertices of [100, 300, 600]) {
      const { standing, max, count, result } = search(vertices);
      expect(max).toBeLessThanOrEqual(Math.min(vertices - 1, MAX_FOLLOWED));
      // Each prefix at each length looks at the edges of the vertices it stands at twice.
      expect(standing).toBeLessThanOrEqual(2 * beamSize * vertices * Math.min(vertices, MAX_FOLLOWED));
      expect(count).toBeLessThanOrEqual(beamSize * vertices + 1);
      expect(result).toHaveLength(1);
    }
  });
});

describe('viterbiPaths', () => {
  it('looks at no longer paths once they cannot win', async () => {
    // The last vertex is one step away; each further vertex costs more than it could gain.
    const vertices = 60;
    const transitions = new Float32Array(vertices * vertices).fill(Number.NEGATIVE_INFINITY);
    for (let from = 0; from < vertices - 1; from++) {
      transitions.fill(-8, from * vertices + from + 1, (from + 1) * vertices);
      transitions[(from + 1) * vertices - 1] = -0.01;
    }
    const tokenIds = new Int32Array(vertices).fill(1);
    const lattice: DagLattice = {
      kind: 'dag',
      vertices,
      k: 1,
      tokenIds,
      logProbs: new Float32Array(vertices),
      transitions,
    };
    const graph = atOnce(readDag(lattice, 2, 0));
    let lengths = 0;
    const { count } = counted(
      viterbiPaths(graph, new Float64Array(vertices), vertices, (scores, length, bound) => {
        lengths = length;
        return bound / vertices < scores[2] / 2;
      }),
    );
    expect(lengths).toBeLessThan(5);
    // One step for each vertex, to know what lies behind it, and one for each length.
    expect(count).toBeLessThan(vertices + 5);
    const model = { ...scriptedDagModel({ vocabularySize: 2, endTokenId: 0, dag: () => randomDag(1, 2, 2) }) };
    const one = { ...model, emit: async () => [lattice] };
    for (const decoder of [dagViterbi(), dagJointViterbi()]) {
      const { results } = await collect(decoder.decode(one, { sources: [SOURCE] }));
      expect(results[0]?.hypotheses[0]?.tokenIds).toHaveLength(2);
      expect(results[0]?.hypotheses[0]?.score).toBeCloseTo(-0.01 / 2, 6);
    }
  });
});

describe('dagBeam, pruned', () => {
  /** Prefixes by the sums over all their paths, in the linear domain, without any short cut. */
  function plainSearch(
    { vertices, k, tokenIds, logProbs, transitions }: DagLattice,
    beamSize: number,
    penalty: number,
  ) {
    const last = vertices - 1;
    const outputs = new Map<string, { logProb: number; score: number }>();
    let running = new Map<string, Map<number, number>>([['', new Map([[-1, 1]])]]);
    for (let length = 1; length <= vertices; length++) {
      const grown = new Map<string, Map<number, number>>();
      for (const [prefix, at] of running) {
        for (const [from, mass] of at) {
          for (let to = from + 1; to < vertices; to++) {
            const step = from < 0 ? (to === 0 ? 1 : 0) : Math.exp(transitions[from * vertices + to]);
            for (let entry = to * k; entry < (to + 1) * k; entry++) {
              const key = `${prefix}${prefix === '' ? '' : ','}${tokenIds[entry]}`;
              const masses = grown.get(key) ?? new Map<number, number>();
              grown.set(key, masses);
              masses.set(to, (masses.get(to) ?? 0) + mass * step * Math.exp(logProbs[entry]));
            }
          }
        }
      }
      for (const [key, masses] of grown) {
        const logProb = Math.log(masses.get(last) ?? 0);
        if (logProb > -700) outputs.set(key, { logProb, score: logProb / length ** penalty });
        masses.delete(last);
      }
      const mass = (masses: Map<number, number>): number => [...masses.values()].reduce((sum, one) => sum + one, 0);
      running = new Map(
        [...grown]
          .sort(([, a], [, b]) => mass(b) - mass(a))
          .filter(([, masses]) => mass(masses) > 0)
          .slice(0, beamSize),
      );
    }
    return [...outputs].sort(([, a], [, b]) => b.score - a.score);
  }

  it('finds what a plain search finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(10_000),
        fc.integer({ min: 2, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(-0.5, 0, 1, 1.5),
        async (seed, vertices, beamSize, lengthPenalty) => {
          const dag = randomDag(seed, vertices, 4, 0.3);
          const model = scriptedDagModel({ vocabularySize: 4, endTokenId: -1, dag: () => dag });
          const decoder = dagBeam({ beamSize, hypotheses: beamSize, candidates: 3, lengthPenalty });
          const { results } = await collect(decoder.decode(model, { sources: [SOURCE] }));
          const wanted = plainSearch(dagLattice(dag, 3), beamSize, lengthPenalty).slice(0, beamSize);
          const found = results[0]?.hypotheses ?? [];
          expect(found.map(({ tokenIds }) => tokenIds.join())).toEqual(wanted.map(([key]) => key));
          for (const [index, { logProb, score }] of found.entries()) {
            expect(logProb).toBeCloseTo(wanted[index]?.[1].logProb, 6);
            expect(score).toBeCloseTo(wanted[index]?.[1].score, 6);
          }
        },
      ),
      { numRuns: 500, seed: 13 },
    );
  });

  it('goes on for a long output that wins by its length', async () => {
    // A way of one step, and one along all vertices that is less probable as a whole and more so for each of them.
    const vertices = 9;
    const transitions = new Float32Array(vertices * vertices).fill(Number.NEGATIVE_INFINITY);
    for (let from = 0; from < vertices - 1; from++) transitions[from * vertices + from + 1] = from === 0 ? -1.5 : -0.01;
    transitions[vertices - 1] = -0.6;
    const tokenIds = Int32Array.from({ length: vertices }, (_, vertex) => vertex + 1);
    const lattice: DagLattice = {
      kind: 'dag',
      vertices,
      k: 1,
      tokenIds,
      logProbs: new Float32Array(vertices),
      transitions,
    };
    const model = scriptedDagModel({ vocabularySize: 10, endTokenId: 0, dag: () => randomDag(1, 2, 2) });
    for (const [lengthPenalty, length] of [
      [0, 2],
      [1, vertices],
    ] as const) {
      const decoder = dagBeam({ candidates: 1, lengthPenalty });
      const { results } = await collect(
        decoder.decode({ ...model, emit: async () => [lattice] }, { sources: [SOURCE] }),
      );
      expect(results[0]?.hypotheses[0]?.tokenIds).toHaveLength(length);
    }
    expect(everyDerivation(lattice)).toHaveLength(2);
  });
});

describe.each([
  dagGreedy(),
  dagLookahead(),
  dagViterbi(),
  dagJointViterbi(),
  dagBeam(),
  dagSampling({ hypotheses: 3 }),
])('$name', (decoder) => {
  it('lets other work have a turn, and stops at the first step after an abort', async () => {
    for (const turns of [0, 1, 4]) {
      const controller = new AbortController();
      using clock = new SteppingClock(1_000);
      let abortedAt = Number.POSITIVE_INFINITY;
      const abortAfter = (left: number): void => {
        setImmediate(() => {
          if (left > 0) return abortAfter(left - 1);
          abortedAt = clock.looks;
          controller.abort('stopped');
        });
      };
      const dag = () => randomDag(3, 40, 7);
      const inner = scriptedDagModel({ vocabularySize: 7, dag });
      const model: LatticeModel<TokenSource> = {
        ...inner,
        emit: (sources, options) => {
          abortAfter(turns);
          return inner.emit(sources, options);
        },
      };
      const sources = Array.from({ length: 8 }, (_, row) => Int32Array.of(row));
      await expect(eventsOf(decoder.decode(model, { sources, signal: controller.signal }))).rejects.toBe('stopped');
      expect(clock.looks).toBeLessThanOrEqual(abortedAt + 1);
    }
  });

  it('reads a large batch in parts of bounded size, and gives each row what it gets alone', async () => {
    const dag = (source: TokenSource) => randomDag(source[0], 4, 7);
    const inner = scriptedDagModel({ vocabularySize: 7, dag });
    const rows: number[] = [];
    const model: LatticeModel<TokenSource> = {
      ...inner,
      emit: (sources, options) => {
        rows.push(sources.length);
        expect(sources.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(2048);
        return inner.emit(sources, options);
      },
    };
    const sources = Array.from({ length: 90 }, (_, row) => new Int32Array(64).fill(row));
    const { results, statistics } = await collect(decoder.decode(model, { sources }));
    expect(rows).toEqual([32, 32, 26]);
    expect(statistics.forwards).toBe(3);
    for (const row of [0, 31, 32, 89]) {
      const alone = await collect(decoder.decode(model, { sources: [sources[row] as Int32Array] }));
      expect(results[row]?.hypotheses).toEqual(alone.results[0]?.hypotheses);
    }
  });
});
