import type { EmitOptions, Lattice, LatticeModel, TokenSource } from '@foretoken/core';
import { anything, checkOptions, flag, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertCode } from './laws.js';
import {
  assertEncoding,
  assertOptions,
  assertRanked,
  assertSameScores,
  assertSources,
  type ModelConformanceOptions,
  modelSuiteOptions,
  REQUIRED,
} from './model-suite.js';

type Model = LatticeModel<TokenSource>;

/** The lattice model under test. */
export interface LatticeModelConformanceOptions extends ModelConformanceOptions<Model> {
  /** The scores of a source may depend on the sources beside it, as those of 8-bit graphs do (default false). */
  readonly batchDependent?: boolean | undefined;
  /** A source with nothing in it, of a model that reads other sources than tokens (default no tokens). */
  readonly emptySource?: unknown;
}

const OPTIONS: OptionTable<LatticeModelConformanceOptions> = {
  ...modelSuiteOptions<Model>(),
  batchDependent: flag,
  emptySource: anything,
};

/** The laws that every lattice model keeps, as tests of the given runner. */
export function latticeModelConformance(options: LatticeModelConformanceOptions): void {
  const {
    runner,
    name,
    createModel,
    sources,
    tolerance = 0,
    batchDependent = false,
  } = checkOptions('latticeModelConformance', options, OPTIONS, REQUIRED);
  const { emptySource = new Int32Array() } = options;
  const law = (title: string, body: (model: Model) => Promise<void>): void =>
    runner.it(title, async () => body(await createModel()));
  const same = (actual: readonly Lattice[], expected: readonly Lattice[]): void => {
    assert.equal(actual.length, expected.length, 'as many lattices');
    for (const [row, lattice] of actual.entries()) assertSame(lattice, expected[row], tolerance, `row ${row}`);
  };

  runner.describe(`${name} keeps the laws of lattice models`, () => {
    law('gives each source a lattice of the kind it says, in their order', async (model) => {
      const { startTokenId: start, vocabulary } = model;
      const known = start === undefined || (Number.isInteger(start) && start >= 0 && start < vocabulary.size);
      assert.ok(known, `startTokenId is one of the ${vocabulary.size} tokens, or undefined, not ${start}`);
      const lattices = await emit(model, sources, { k: model.supports.maxCandidates });
      assert.equal(lattices.length, sources.length, 'there is one lattice a source');
      for (const [row, lattice] of lattices.entries()) {
        assert.equal(lattice.kind, model.supports.kind, 'lattices are of the kind that the model supports');
        const [alone] = await emit(model, [sources[row]], { k: model.supports.maxCandidates });
        assert.equal(lattice.logProbs.length, alone.logProbs.length, `row ${row} has the size that it has alone`);
        if (!batchDependent) assertSame(lattice, alone, tolerance, `row ${row} beside others`);
      }
      const backwards = await emit(model, [...sources].reverse(), { k: model.supports.maxCandidates });
      const sizes = backwards.reverse().map(({ logProbs }) => logProbs.length);
      assert.deepEqual(
        sizes,
        lattices.map(({ logProbs }) => logProbs.length),
        'lattices are in the order of the sources',
      );
      if (!batchDependent) same(backwards, lattices);
    });

    law('ranks candidates best first, and knows what comes after what', async (model) => {
      for (const lattice of await emit(model, sources, { k: model.supports.maxCandidates })) {
        const { tokenIds, logProbs, k } = lattice;
        const { size } = model.vocabulary;
        const blankId = lattice.kind === 'ctc' ? lattice.blankId : -1;
        assertRanked(tokenIds, logProbs, k, (id) => Number.isInteger(id) && id >= 0 && (id < size || id === blankId));
        if (lattice.kind === 'dag') assertEdges(lattice.transitions, lattice.vertices);
        else assertBlanks(lattice.tokenIds, lattice);
        const places = lattice.kind === 'ctc' ? lattice.frames : lattice.vertices;
        assert.equal(tokenIds.length, places * k, 'there are k candidates a frame or vertex');
      }
    });

    law('gives as many candidates as it is asked for, the best of all, and no more than it has', async (model) => {
      const { maxCandidates } = model.supports;
      const all = await emit(model, sources, { k: maxCandidates });
      for (const k of [1, Math.ceil(maxCandidates / 2), maxCandidates, 10 * maxCandidates]) {
        for (const [row, lattice] of (await emit(model, sources, { k })).entries()) {
          assert.equal(lattice.k, Math.min(k, maxCandidates), `k is what was asked for, ${k}, or all there are`);
          const { logProbs, k: max } = all[row];
          const best = Array.from(logProbs).filter((_, cell) => cell % max < lattice.k);
          assertSameScores(lattice.logProbs, best, tolerance, `the ${k} best of row ${row}`);
        }
      }
      for (const lattice of await emit(model, sources))
        assert.equal(lattice.k, 1, 'one candidate unless more are asked for');
      for (const k of [0, -1, 1.5, Number.NaN]) await assertCode(() => emit(model, sources, { k }), 'INVALID_ARGUMENT');
    });

    law('gives arrays away, and the same again, to two at once too', async (model) => {
      const first = await emit(model, sources, { k: model.supports.maxCandidates });
      const kept = structuredClone(first);
      for (const lattice of first) {
        lattice.tokenIds.fill(0);
        lattice.logProbs.fill(1);
      }
      const both = await Promise.all([0, 1].map(() => emit(model, sources, { k: model.supports.maxCandidates })));
      for (const lattices of both) same(lattices, kept);
      const [one, other] = await emit(model, [sources[0], sources[0]]);
      const before = structuredClone(other);
      for (const array of Object.values(one)) if (ArrayBuffer.isView(array)) (array as Float32Array).fill(0);
      assert.deepEqual(other, before, 'rows of one source have arrays of their own');
    });

    law(
      'reads an encoding of the sources as it reads the sources, and refuses one that is not of them',
      async (model) => {
        await assertEncoding(model.encoder, sources, (read, more) => emit(model, read, { k: 2, ...more }), same);
      },
    );

    law('refuses options that it does not have, and values of a wrong type', async (model) => {
      await assertOptions(async (options) => model.emit(sources, options));
    });

    law('refuses sources that are none, and computes nothing for a signal that was aborted', async (model) => {
      await assertSources((read, more) => emit(model, read, more), sources);
      await assertCode(() => emit(model, [sources[0], emptySource as TokenSource]), 'EMPTY_SOURCE');
    });
  });
}

/** Rejects where a model throws at once. */
async function emit(model: Model, sources: readonly TokenSource[], options?: EmitOptions): Promise<Lattice[]> {
  return model.emit(sources, options);
}

function assertSame(actual: Lattice, expected: Lattice, tolerance: number, what: string): void {
  assert.deepEqual([actual.kind, actual.k], [expected.kind, expected.k], `${what}: of the same kind`);
  assertSameScores(actual.logProbs, expected.logProbs, tolerance, what);
  if (actual.kind === 'ctc' && expected.kind === 'ctc') {
    assert.equal(actual.blankId, expected.blankId, `${what}: the same blank`);
    assertSameScores(actual.blankLogProbs, expected.blankLogProbs, tolerance, `${what}, blanks`);
  }
  if (actual.kind === 'dag' && expected.kind === 'dag') {
    assertSameScores(actual.transitions, expected.transitions, tolerance, `${what}, edges`);
  }
  // Candidates that are clearly apart are in the same order.
  for (const [cell, tokenId] of actual.tokenIds.entries()) {
    const { logProbs, k } = expected;
    const apart = (other: number): boolean =>
      Math.floor(other / k) !== Math.floor(cell / k) || Math.abs(logProbs[cell] - logProbs[other]) > 2 * tolerance;
    if (tolerance > 0 && !(apart(cell - 1) && apart(cell + 1) && cell % k < k - 1)) continue;
    assert.equal(tokenId, expected.tokenIds[cell], `${what}: candidate ${cell}`);
  }
}

/** Edges lead onwards only, and those of a vertex add up to 1 at most. */
function assertEdges(transitions: Float32Array, vertices: number): void {
  assert.equal(transitions.length, vertices * vertices, 'there is a score from each vertex to each');
  for (let from = 0; from < vertices; from++) {
    let mass = 0;
    for (let to = 0; to < vertices; to++) {
      const logProb = transitions[from * vertices + to];
      assert.ok(to > from || logProb === Number.NEGATIVE_INFINITY, `no edge leads back from vertex ${from} to ${to}`);
      assert.ok(logProb <= 1e-5, `a log-probability is not above 0, but the edge ${from} to ${to} has ${logProb}`);
      mass += Math.exp(logProb);
    }
    assert.ok(mass <= 1 + 1e-3, `edges of vertex ${from} add up to 1 at most, not ${mass}`);
  }
}

/** The blank has its score in every frame, also where it is no candidate. */
function assertBlanks(
  tokenIds: Int32Array,
  lattice: { frames: number; k: number; blankId: number; logProbs: Float32Array; blankLogProbs: Float32Array },
): void {
  const { frames, k, blankId, logProbs, blankLogProbs } = lattice;
  assert.equal(blankLogProbs.length, frames, 'the blank has a score in each frame');
  for (const [cell, tokenId] of tokenIds.entries()) {
    if (tokenId !== blankId) continue;
    const own = blankLogProbs[Math.floor(cell / k)];
    assert.ok(
      Math.abs(own - logProbs[cell]) <= 1e-4,
      `the blank has one score in a frame, not ${own} and ${logProbs[cell]}`,
    );
  }
  for (const [frame, logProb] of blankLogProbs.entries()) {
    assert.ok(logProb <= 1e-5, `a log-probability is not above 0, but the blank of frame ${frame} has ${logProb}`);
    const listed = tokenIds.subarray(frame * k, (frame + 1) * k).includes(blankId);
    const last = logProbs[(frame + 1) * k - 1];
    assert.ok(
      listed || logProb <= last + 1e-4,
      `a blank better than the last candidate of frame ${frame} is a candidate`,
    );
  }
}
