import {
  type AutoregressiveModel,
  collect,
  type LatticeModel,
  type SourceEncoder,
  type SourceEncoding,
  type TokenForest,
  type TokenSource,
} from '@foretoken/core';
import { type CtcRescoring, ctcPrefixBeam } from '@foretoken/one-shot';
import {
  assertCode,
  ctcLattice,
  latticeConformance,
  logSoftmax,
  randomLogits,
  randomScriptedModel,
  scriptedModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCtc, everyOutput, latticesModel } from './ctc-oracle.js';

const SIZE = 4;
const WIDE = 4096;
const SOURCES = [Int32Array.of(2, 3), Int32Array.of(1)];

/** No token of the lattice ends an output. */
const teacher = (endTokenId: number, seed = 5) =>
  randomScriptedModel({ seed, vocabularySize: SIZE + 1, endTokenId, typicalLength: 3 });

/** Token by token, from the definition of the model. */
function teacherLogProb(source: TokenSource, tokenIds: readonly number[]): number {
  const score = randomLogits({ seed: 5, vocabularySize: SIZE + 1, endTokenId: SIZE, typicalLength: 3 });
  return [...tokenIds, SIZE].reduce(
    (sum, tokenId, at) => sum + logSoftmax(score(source, tokenIds.slice(0, at)))[tokenId],
    0,
  );
}

latticeConformance({
  runner: { describe, it },
  name: 'ctcPrefixBeam with rescoring',
  createDecoder: () => ctcPrefixBeam({ rescoring: { model: randomScriptedModel({ seed: 5, vocabularySize: 7 }) } }),
});

describe('rescoring', () => {
  it('ranks by the weighted sum of both models and the length bonus', async () => {
    const weights = fc.record({
      weight: fc.constantFrom(0, 0.5, 1),
      searchWeight: fc.constantFrom(0, 1, 0.3),
      lengthBonus: fc.constantFrom(0, 0.6, -1),
    });
    await fc.assert(
      fc.asyncProperty(fc.tuple(anyCtc, anyCtc), weights, async (rows, options) => {
        const { weight, searchWeight, lengthBonus } = options;
        const rescoring: CtcRescoring<TokenSource> = { model: teacher(SIZE), ...options };
        const decoder = ctcPrefixBeam({ candidates: 1, beamSize: WIDE, hypotheses: 5, rescoring });
        const lattices = rows.map(({ lattice }) => lattice);
        const { results, statistics } = await collect(
          decoder.decode(latticesModel(lattices, SIZE + 1, SIZE), { sources: SOURCES }),
        );
        expect(statistics).toMatchObject({ forwards: 1, otherForwards: 1 });
        for (const [row, lattice] of lattices.entries()) {
          const outputs = everyOutput(lattice);
          const scoreOf = (key: string): number => {
            const { tokenIds, logProb } = outputs.get(key) as { tokenIds: readonly number[]; logProb: number };
            const own = teacherLogProb(SOURCES[row] as TokenSource, tokenIds);
            return searchWeight * logProb + weight * own + lengthBonus * tokenIds.length;
          };
          const wanted = [...outputs.keys()].map(scoreOf).sort((a, b) => b - a);
          for (const [index, { tokenIds, score, logProb }] of (results[row]?.hypotheses ?? []).entries()) {
            expect(score).toBeCloseTo(scoreOf(tokenIds.join()), 3);
            expect(score).toBeCloseTo(wanted[index], 3);
            expect(logProb).toBeCloseTo(outputs.get(tokenIds.join())?.logProb as number, 4);
          }
        }
      }),
    );
  });

  it('encodes once for both models, and releases the encoding, also after an error', async () => {
    let encoded = 0;
    let open = 0;
    const encoder: SourceEncoder<TokenSource> = {
      async encode(sources) {
        encoded++;
        open++;
        return { rows: sources.length, dispose: () => void open-- };
      },
    };
    const seen: (SourceEncoding | undefined)[] = [];
    const inner = randomScriptedModel({ seed: 5, vocabularySize: 4 });
    const model: AutoregressiveModel<TokenSource> = {
      ...inner,
      encoder,
      open: (sources, options) => {
        seen.push(options?.encoding);
        return inner.open(sources);
      },
    };
    const lattices = latticesModel([ctcLattice([[0, 1, 2, 3]], 3, 2)], 4, 0);
    const student: LatticeModel<TokenSource> = {
      ...lattices,
      encoder,
      emit: (sources, options) => {
        seen.push(options?.encoding);
        return lattices.emit(sources);
      },
    };
    const decoder = ctcPrefixBeam({ candidates: 2, rescoring: { model } });
    await collect(decoder.decode(student, { sources: SOURCES }));
    expect([encoded, open]).toEqual([1, 0]);
    expect(seen[0]).toBeDefined();
    expect(seen[0]).toBe(seen[1]);
    const failing = { ...student, emit: () => Promise.reject(new Error('no')) };
    await expect(collect(decoder.decode(failing, { sources: SOURCES }))).rejects.toThrow('no');
    expect(open).toBe(0);
    await collect(decoder.decode(lattices, { sources: SOURCES }));
    expect(encoded).toBe(2);
  });

  it('scores what comes before an end token, and never that token twice', async () => {
    const lattice = ctcLattice(
      [
        [9, 0, 5, 0],
        [0, 9, 0, 0],
        [0, 5, 6, 0],
        [5, 0, 6, 0],
      ],
      3,
      4,
    );
    const decoder = ctcPrefixBeam({ candidates: 4, beamSize: 64, hypotheses: 64, rescoring: { model: teacher(2) } });
    const model = { ...latticesModel([lattice], SIZE + 1, 2) };
    const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
    const outputs = results[0]?.hypotheses.map(({ tokenIds }) => tokenIds.join()) ?? [];
    expect(new Set(outputs).size).toBe(outputs.length);
    expect(outputs.some((output) => output.split(',').includes('2'))).toBe(false);
  });

  it('leaves out what the model rules out, refuses where that is all, and does not ask without a weight', async () => {
    const lattice = ctcLattice([[0, 1, 2, 3]], 3, 4);
    const model = latticesModel([lattice], SIZE + 1, SIZE);
    const ruling = (possible: readonly number[]) =>
      scriptedModel({
        vocabularySize: SIZE + 1,
        endTokenId: SIZE,
        score: () => Float32Array.from({ length: SIZE + 1 }, (_, id) => (possible.includes(id) ? 0 : -Infinity)),
      });
    const outputs = async (rescoring: CtcRescoring<TokenSource>) => {
      const decoder = ctcPrefixBeam({ candidates: 4, hypotheses: 16, rescoring });
      const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
      return results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => tokenIds.join()).sort());
    };
    const some = await outputs({ model: ruling([1, SIZE]) });
    expect(some).toEqual([
      ['', '1'],
      ['', '1'],
    ]);
    await assertCode(() => outputs({ model: ruling([1]) }), 'UNSATISFIABLE_CONSTRAINT');
    expect(await outputs({ model: ruling([1]), weight: 0 })).toEqual([
      ['', '0', '1', '2'],
      ['', '0', '1', '2'],
    ]);
  });

  it('names a broken model by code', async () => {
    const inner = teacher(SIZE);
    const broken: AutoregressiveModel<TokenSource> = {
      ...inner,
      supports: { ...inner.supports, outputs: ['logits'] },
      open: async (sources) => {
        const forest = await inner.open(sources);
        return {
          ...({ retain: () => {}, finish: () => {} } as Pick<typeof forest, 'retain' | 'finish'>),
          rows: forest.rows,
          start: (row: number) => forest.start(row),
          extend: async (nodes: { tokenId: Int32Array }) => ({
            kind: 'logits',
            firstNode: 0,
            logits: new Float32Array(nodes.tokenId.length * (SIZE + 1)).fill(Number.NaN),
          }),
          [Symbol.asyncDispose]: () => forest[Symbol.asyncDispose](),
        } as unknown as TokenForest;
      },
    };
    const model = latticesModel([ctcLattice([[0, 1, 2, 3]], 3, 2)], SIZE + 1, SIZE);
    const decoder = ctcPrefixBeam({ candidates: 2, rescoring: { model: broken } });
    await assertCode(() => collect(decoder.decode(model, { sources: SOURCES })), 'INVALID_SCORES');
  });
});
