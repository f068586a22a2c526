import type { DraftRequest, DraftSession, DraftTree } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import {
  autoregressiveConformance,
  canvasConformance,
  collectOutcomes,
  drafterConformance,
  editConformance,
  latticeConformance,
  type Runner,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { type CarelessFault, careless, shiftedLogProbs } from './careless-decoders.js';
import { minimalCanvas } from './minimal-canvas.js';
import { minimalEdit } from './minimal-edit.js';
import { minimalGreedy } from './minimal-greedy.js';
import { minimalLattice } from './minimal-lattice.js';

async function brokenLaws(define: (runner: Runner) => void): Promise<string[]> {
  const outcomes = await collectOutcomes(define);
  expect(outcomes.length).toBeGreaterThan(5);
  return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
}

/** Each suite on a careless decoder. */
const SUITES: Readonly<Record<string, (fault: CarelessFault) => (runner: Runner) => void>> = {
  autoregressive: (fault) => (runner) => {
    const decoder = careless(minimalGreedy('none'), fault);
    autoregressiveConformance({ runner, name: 'mutant', createDecoder: () => decoder, models: 12 });
  },
  lattice: (fault) => (runner) => {
    const decoder = careless(minimalLattice('none'), fault);
    latticeConformance({ runner, name: 'mutant', createDecoder: () => decoder });
  },
  canvas: (fault) => (runner) => {
    const decoder = careless(minimalCanvas('none'), fault);
    canvasConformance({ runner, name: 'mutant', createDecoder: () => decoder, models: 6 });
  },
  edit: (fault) => (runner) => {
    const decoder = careless(minimalEdit('none'), fault);
    editConformance({ runner, name: 'mutant', createDecoder: () => decoder, models: 6 });
  },
};

const CAUGHT: Readonly<Record<CarelessFault, string>> = {
  'writes into the request': 'leaves the request and its arrays as they were',
  'takes rows of one source for one': 'gives rows of one source the same, in whatever order rows are',
  'is of no use once it was left': 'decodes as before after a decode that failed, was aborted or was left',
  'ranks by one score and says another': 'gives rows of one source the same, in whatever order rows are',
  'gives the array of an event again': 'leaves the request and its arrays as they were',
};

describe('careless decoders', () => {
  for (const [suite, define] of Object.entries(SUITES)) {
    it.each(Object.entries(CAUGHT))(`${suite}: one is caught that %s`, async (fault, law) => {
      // Of autoregressive decoders no canvas is shown.
      if (suite === 'autoregressive' && fault === 'gives the array of an event again') return;
      expect(await brokenLaws(define(fault as CarelessFault))).toContain(law);
    });
  }

  it('one is caught whose token log-probabilities are shifted, and one passes whose are not', async () => {
    const run = (createDecoder: () => ReturnType<typeof minimalGreedy>) =>
      brokenLaws((runner) => autoregressiveConformance({ runner, name: 'mutant', createDecoder, models: 6 }));
    expect(await run(() => greedy({ tokenLogProbs: true }))).toEqual([]);
    expect(await run(() => shiftedLogProbs(greedy({ tokenLogProbs: true })))).toEqual([
      'streams commits that add up to the best hypothesis, and counts its forwards',
    ]);
  });
});

describe('careless drafters', () => {
  const GOES_ON = 'goes on with other rows after one is finished, and leaves prefixes as they were';
  const sources = [Int32Array.of(1), Int32Array.of(2)];

  /** Drafts by row and prefix; `watch` may do wrong. */
  const brokenBy = (watch: (state: { finished: boolean; forgotten: Set<number> }, request: DraftRequest) => number) =>
    brokenLaws((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary: { size: 6, endTokenId: 0 },
        sources,
        createDrafter: () => ({
          name: 'careless',
          async open(): Promise<DraftSession> {
            const state = { finished: false, forgotten: new Set<number>() };
            return {
              forwards: 0,
              propose: (requests) =>
                requests.map((request): DraftTree => {
                  const count = Math.min(1, request.limit.nodes);
                  const tokenId = watch(state, request);
                  return { tokenIds: new Int32Array(count).fill(tokenId), parents: new Int32Array(count).fill(-1) };
                }),
              finish: () => {
                state.finished = true;
              },
              async [Symbol.asyncDispose]() {},
            };
          },
        }),
      }),
    );
  const right = ({ prefix }: DraftRequest): number => 1 + (prefix.reduce((sum, id) => sum + id, prefix.length) % 5);

  it('passes one that is not', async () => {
    expect(await brokenBy((_, request) => right(request))).toEqual([]);
  });

  it('one is caught that forgets what all rows said once one of them is finished', async () => {
    const forgetful = await brokenBy(({ finished }, request) =>
      finished ? right({ ...request, prefix: request.prefix.subarray(-1) }) : right(request),
    );
    expect(forgetful).toEqual([GOES_ON]);
  });

  it('one is caught that writes into the prefix', async () => {
    const writing = await brokenBy((_, request) => {
      const said = right(request);
      request.prefix.fill(0);
      return said;
    });
    expect(writing).toContain(GOES_ON);
  });
});
