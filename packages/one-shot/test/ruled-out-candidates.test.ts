import { type CtcLattice, collect, type DagLattice, type LatticeModel, type TokenSource } from '@foretoken/core';
import { CtcPrefixScorer, ctcAlignment } from '@foretoken/core/kit';
import { dagBeam } from '@foretoken/one-shot';
import { ctcLattice } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listed } from '../../core/test/ctc-oracle.js';
import { decode, SOURCE } from './ctc-decode.js';
import { dagLattice, randomDag } from './dag-scripted.js';

const VOCABULARY = 3;
const BLANK = VOCABULARY;
const NEVER = Number.NEGATIVE_INFINITY;

/** The ids that ruled-out candidates hold, and on which side of the others they stand. */
const anyIds = fc.array(fc.tuple(fc.nat(VOCABULARY - 1), fc.boolean()), { minLength: 1, maxLength: 2 });

/** A lattice with one more candidate a group, which is ruled out, for each of these ids. */
function withRuledOut<
  Cells extends { readonly k: number; readonly tokenIds: Int32Array; readonly logProbs: Float32Array },
>(lattice: Cells, ids: readonly (readonly [tokenId: number, before: boolean])[]): Cells {
  let { k, tokenIds, logProbs } = lattice;
  for (const [tokenId, before] of ids) {
    const join = (cells: ArrayLike<number>, cell: number): number[] =>
      Array.from({ length: cells.length / k }, (_, group) => {
        const here = Array.from(cells).slice(group * k, (group + 1) * k);
        return before ? [cell, ...here] : [...here, cell];
      }).flat();
    tokenIds = Int32Array.from(join(tokenIds, tokenId));
    logProbs = Float32Array.from(join(logProbs, NEVER));
    k++;
  }
  return { ...lattice, k, tokenIds, logProbs };
}

/** Every label is a candidate. */
const anyFrames = fc
  .array(fc.array(fc.integer({ min: -5, max: 0 }), { minLength: VOCABULARY + 1, maxLength: VOCABULARY + 1 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((frames) => ctcLattice(frames, BLANK, VOCABULARY + 1));

describe('what a candidate that was ruled out holds, also an id that is possible beside it', () => {
  it('changes no output and no score of a CTC search, nor alignments and prefix probabilities', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrames, anyIds, fc.integer({ min: 1, max: 3 }), async (plain, ids, beamSize) => {
        const odd: CtcLattice = withRuledOut(plain, ids);
        const found = await decode(odd, VOCABULARY, { beamSize, hypotheses: beamSize }, { endTokenId: 0 });
        expect(found).toEqual(await decode(plain, VOCABULARY, { beamSize, hypotheses: beamSize }, { endTokenId: 0 }));
        const output = found[0]?.tokenIds ?? new Int32Array();
        expect(ctcAlignment(odd, output)).toEqual(ctcAlignment(plain, output));
        const [oddly, plainly] = [odd, plain].map((lattice) => {
          const scorer = new CtcPrefixScorer(lattice, VOCABULARY);
          const prefix = output.reduce((before, tokenId) => scorer.extend(before, tokenId), scorer.start());
          const { tokenIds, probabilities, other } = listed(scorer.continuations(prefix));
          const next = tokenIds.map((tokenId, index) => [tokenId, probabilities[index]] as const);
          return { logProb: prefix.logProb, other, next: new Map(next.filter(([, probability]) => probability !== 0)) };
        });
        expect(oddly).toEqual(plainly);
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  it('changes no sum of a DAG search with an end token', async () => {
    const hypotheses = async (lattice: DagLattice) => {
      const model: LatticeModel<TokenSource> = {
        vocabulary: { size: VOCABULARY, endTokenId: 0 },
        supports: { kind: 'dag', maxCandidates: 8 },
        emit: async () => [lattice],
      };
      const decoder = dagBeam({ beamSize: 64, hypotheses: 64, candidates: lattice.k });
      return (await collect(decoder.decode(model, { sources: [SOURCE] }))).results[0]?.hypotheses;
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.integer({ min: 1, max: 5 }), anyIds, async (seed, vertices, ids) => {
        const plain = dagLattice(randomDag(seed, vertices, VOCABULARY), VOCABULARY);
        expect(await hypotheses(withRuledOut(plain, ids))).toEqual(await hypotheses(plain));
      }),
      { numRuns: 200, seed: 6 },
    );
  });
});
