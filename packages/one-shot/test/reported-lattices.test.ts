import {
  type CtcLattice,
  collect,
  type DecodeEvent,
  type Decoder,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import {
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagLookahead,
  dagSampling,
  dagViterbi,
} from '@foretoken/one-shot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomDag, scriptedDagModel } from './dag-scripted.js';

const SOURCES = [Int32Array.of(1), Int32Array.of(2, 3)];

async function revisions(decoder: Decoder<LatticeModel<TokenSource>>, model: LatticeModel<TokenSource>) {
  const events: DecodeEvent[] = [];
  for await (const event of decoder.decode(model, { sources: SOURCES })) events.push(event);
  return events.filter((event) => event.type === 'canvas-revise');
}

/** Two rows of three frames; the best label of each, then the next. */
function ctcModel(): { model: LatticeModel<TokenSource>; emitted: CtcLattice[] } {
  const emitted: CtcLattice[] = [];
  return {
    emitted,
    model: {
      vocabulary: { size: 8, endTokenId: 0 },
      supports: { kind: 'ctc', maxCandidates: 4 },
      async emit(sources, { k = 1 } = {}) {
        const lattices = sources.map(
          (source): CtcLattice => ({
            kind: 'ctc',
            frames: 3,
            k,
            blankId: 7,
            tokenIds: Int32Array.from(
              { length: 3 * k },
              (_, cell) => 1 + ((source.length + Math.floor(cell / k) + (cell % k)) % 5),
            ),
            logProbs: Float32Array.from({ length: 3 * k }, (_, cell) => -0.5 - (cell % k)),
            blankLogProbs: new Float32Array(3).fill(-3),
          }),
        );
        emitted.push(...lattices);
        return lattices;
      },
    },
  };
}

describe('lattices of CTC strategies', () => {
  it('are told only where asked for', async () => {
    for (const decoder of [ctcGreedy(), ctcPrefixBeam({ candidates: 4 })]) {
      for (const { lattice } of await revisions(decoder, ctcModel().model)) expect(lattice).toBeUndefined();
    }
  });

  it('are what the model emitted, with as many labels as asked for', async () => {
    for (const decoder of [
      ctcGreedy({ lattices: true, candidates: 3 }),
      ctcPrefixBeam({ lattices: true, candidates: 3 }),
    ]) {
      const { model, emitted } = ctcModel();
      const told = await revisions(decoder, model);
      expect(told.map(({ lattice }) => lattice)).toEqual(emitted);
      expect(emitted.map(({ k }) => k)).toEqual([3, 3]);
    }
  });

  it('read by more labels give the same output', async () => {
    const one = await collect(ctcGreedy().decode(ctcModel().model, { sources: SOURCES }));
    const more = await collect(
      ctcGreedy({ lattices: true, candidates: 4 }).decode(ctcModel().model, { sources: SOURCES }),
    );
    expect(more.results).toEqual(one.results);
  });

  it('are refused where the model has fewer labels', async () => {
    await expect(revisions(ctcGreedy({ candidates: 5 }), ctcModel().model)).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
    });
  });
});

function dagModel(seed: number, sparsity: number): LatticeModel<TokenSource> {
  return scriptedDagModel({ vocabularySize: 4, endTokenId: -1, dag: () => randomDag(seed, 6, 4, sparsity) });
}

describe('lattices of DAG strategies', () => {
  const sampling: typeof dagGreedy = (options) => dagSampling({ ...options, candidates: 4 });
  const strategies = { dagGreedy, dagLookahead, dagViterbi, dagSampling: sampling };

  it.each(Object.entries(strategies))('%s tells the vertices of its path, where asked for', async (_name, create) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const model = dagModel(seed, 0.5);
        for (const { lattice, alignment } of await revisions(create(), model)) {
          expect([lattice, alignment]).toEqual([undefined, undefined]);
        }
        const [{ lattice, alignment, tokenIds, logProbs }] = await revisions(create({ lattices: true }), model);
        if (lattice?.kind !== 'dag') throw new Error('a DAG lattice was expected');
        const vertices = [...(alignment?.firstFrames ?? [])];
        expect(vertices).toHaveLength(tokenIds.length);
        expect(alignment?.lastFrames).toEqual(alignment?.firstFrames);
        expect(alignment?.logProbs).toEqual(logProbs);
        for (const [position, vertex] of vertices.entries()) {
          const said = lattice.tokenIds.subarray(vertex * lattice.k, (vertex + 1) * lattice.k);
          expect([...said]).toContain(tokenIds[position]);
          const before = vertices[position - 1];
          if (before === undefined) expect(vertex).toBe(0);
          else
            expect(lattice.transitions[before * lattice.vertices + vertex]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
        }
      }),
      { numRuns: 40, seed: 5 },
    );
  });

  it('leave the vertex of the start token out, and dagBeam, which follows many paths, tells none', async () => {
    const model = dagModel(3, 0);
    const [plain] = await revisions(dagGreedy({ lattices: true }), model);
    const startTokenId = plain.tokenIds[0];
    const [begun] = await revisions(dagGreedy({ lattices: true, startTokenId }), model);
    expect(begun.alignment?.firstFrames).toEqual(plain.alignment?.firstFrames.slice(1));
    const [beam] = await revisions(dagBeam({ lattices: true, candidates: 2 }), model);
    expect(beam.lattice?.kind).toBe('dag');
    expect(beam.alignment).toBeUndefined();
  });
});
