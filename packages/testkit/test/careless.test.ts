import { greedy } from '@foretoken/greedy';
import { levenshtein, maskPredict } from '@foretoken/refine';
import {
  autoregressiveConformance,
  canvasConformance,
  collectOutcomes,
  editConformance,
  latticeConformance,
  type Runner,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { BEGINS, type CarelessFault, careless, oneLength, passingOver, shiftedLogProbs } from './careless-decoders.js';
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

/** What each suite looks at in its first law. */
const FIRST: Readonly<Record<string, string>> = {
  autoregressive: 'streams commits that add up to the best hypothesis, and counts its forwards',
  lattice: 'streams commits that add up to the best hypothesis, after one forward a batch',
  canvas: 'shows what it commits, commits it once, and counts its forwards',
  edit: 'shows what it commits, commits it once, and counts its forwards',
};

/** Faults by the law that each suite has of its own for them, or all suites together. */
const CAUGHT: Readonly<Record<CarelessFault, string | typeof FIRST>> = {
  'writes into the request': 'leaves the request and its arrays as they were',
  'takes rows of one source for one': 'gives rows of one source the same, in whatever order rows are',
  'is of no use once it was left': 'decodes as before after a decode that failed, was aborted or was left',
  'ranks by one score and says another': 'gives rows of one source the same, in whatever order rows are',
  'gives the array of an event again': 'leaves the request and its arrays as they were',
  'passes over what it cannot use': 'refuses of a request what it does not accept, before any compute',
  'decodes the request that came last': 'serves two decodes of different sources at once',
  'gives plain lists of tokens': FIRST,
  'ends for a reason of its own': FIRST,
  'tells of something that no event is': FIRST,
  'counts drafts where there are none': FIRST,
  'aligns tokens to frames before those of the token before': FIRST,
};

describe('careless decoders', () => {
  for (const [suite, define] of Object.entries(SUITES)) {
    it.each(Object.entries(CAUGHT))(`${suite}: one is caught that %s`, async (fault, law) => {
      // Of autoregressive decoders no canvas is shown.
      if (suite === 'autoregressive' && fault === 'gives the array of an event again') return;
      const named = typeof law === 'string' ? law : law[suite];
      expect(await brokenLaws(define(fault as CarelessFault))).toContain(named);
    });
  }

  it('one is caught that says it can use a minimum of tokens, or a length, and passes over it', async () => {
    const OBEYS = 'gives at least minNewTokens, and no more than lengths, where it accepts them';
    const short = () => passingOver(greedy(), 'minNewTokens');
    expect(
      await brokenLaws((runner) =>
        autoregressiveConformance({ runner, name: 'mutant', createDecoder: short, models: 2 }),
      ),
    ).toEqual([OBEYS]);
    const long = () => passingOver(maskPredict(), 'lengths');
    expect(
      await brokenLaws((runner) => canvasConformance({ runner, name: 'mutant', createDecoder: long, models: 2 })),
    ).toEqual([OBEYS]);
    const asFirst = () => oneLength(maskPredict());
    expect(
      await brokenLaws((runner) => canvasConformance({ runner, name: 'mutant', createDecoder: asFirst, models: 2 })),
    ).toEqual([OBEYS]);
  });

  it('one is caught that says it can use initial outputs, and passes over them', async () => {
    const createDecoder = () => passingOver(levenshtein(), 'initialOutputs');
    const laws = await brokenLaws((runner) => editConformance({ runner, name: 'mutant', createDecoder, models: 2 }));
    expect(laws).toEqual([BEGINS]);
  });

  it.each(['canvas', 'edit'])(
    '%s: one is caught that cannot use initial outputs, and passes over them',
    async (suite) => {
      expect(await brokenLaws(SUITES[suite]('passes over what it cannot use'))).toContain(BEGINS);
    },
  );

  it('one is caught whose token log-probabilities are shifted, and one passes whose are not', async () => {
    const run = (createDecoder: () => ReturnType<typeof minimalGreedy>) =>
      brokenLaws((runner) => autoregressiveConformance({ runner, name: 'mutant', createDecoder, models: 6 }));
    expect(await run(() => greedy({ tokenLogProbs: true }))).toEqual([]);
    expect(await run(() => shiftedLogProbs(greedy({ tokenLogProbs: true })))).toEqual([
      'streams commits that add up to the best hypothesis, and counts its forwards',
    ]);
  });
});
