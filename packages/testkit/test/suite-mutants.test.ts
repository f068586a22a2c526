import {
  canvasConformance,
  collectOutcomes,
  editConformance,
  latticeConformance,
  type Outcome,
  type Runner,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { BEGINS, COMMON_LAWS } from './careless-decoders.js';
import { type CanvasFault, minimalCanvas } from './minimal-canvas.js';
import { type EditFault, minimalEdit } from './minimal-edit.js';
import { type LatticeFault, minimalLattice } from './minimal-lattice.js';

/** For each fault the law that finds it. */
type Caught<Fault extends string> = Readonly<Record<Exclude<Fault, 'none'>, string>>;

const STOPS = 'stops every row at a stop sequence, and with the token that completes a stop string';

const LATTICE: Caught<LatticeFault> = {
  'ignores the limit': 'cuts at maxNewTokens exactly',
  'limits all rows as the first': 'cuts at maxNewTokens exactly',
  'ignores stops': STOPS,
  'obeys stops in row 0 only': STOPS,
  'lets rows influence one another': 'gives a row of a batch what it gives the row alone',
  'shares state between decodes':
    'depends on nothing but the model, the source and the seed, and serves two decodes at once',
  'asks the model for each row': 'streams commits that add up to the best hypothesis, after one forward a batch',
  'counts too many forwards': 'streams commits that add up to the best hypothesis, after one forward a batch',
  'shows something else than it commits': 'shows what it commits',
  'leaks its encoding':
    'releases what it encoded, whether it ends, fails or is no longer read, and fails as the model does',
  'leaks its encoding where the model fails':
    'releases what it encoded, whether it ends, fails or is no longer read, and fails as the model does',
  'swallows a failure of the model':
    'releases what it encoded, whether it ends, fails or is no longer read, and fails as the model does',
  'goes on after an abort while the model is asked':
    'stops at an abort while the model is asked, throws its reason and releases everything',
  'never lets others have a turn': 'stops at the first step after an abort, and lets timers run in between',
  'skips validation': 'refuses bad requests and unsuitable models by code, before any compute',
  'takes any lattice': 'refuses bad requests and unsuitable models by code, before any compute',
};

const CANVAS: Caught<CanvasFault> = {
  'ignores the limit': 'cuts at maxNewTokens exactly',
  'limits all rows as the first': 'cuts at maxNewTokens exactly',
  'ignores stops': STOPS,
  'obeys stops in row 0 only': STOPS,
  'fills finished rows again':
    'asks of a row in a batch what it asks of the row alone, and fills a finished row no more',
  'ignores output prefixes': 'starts inside an output, or refuses to',
  'outputs the mask': 'shows what it commits, commits it once, and counts its forwards',
  'outputs tokens of probability 0': 'outputs no token of probability 0, and ends by code where no other is possible',
  'takes scores that are not numbers': 'refuses scores that are NaN or +Infinity by code, naming row and position',
  'lets rows influence one another': 'gives a row of a batch what it gives the row alone',
  'draws without a seed': 'depends on nothing but the model, the source and the seed',
  'shares state between decodes': 'depends on nothing but the model, the source and the seed',
  'counts too few forwards': 'shows what it commits, commits it once, and counts its forwards',
  'shows something else than it commits': 'shows what it commits, commits it once, and counts its forwards',
  'leaks its session': 'releases everything when a forward fails or the reader stops reading',
  'computes after an abort': 'stops at an abort, throws its reason and releases everything',
  'never lets others have a turn': 'stops within a forward at an abort from another turn of the event loop',
  'swallows a failed forward': 'releases everything when a forward fails or the reader stops reading',
  'skips validation': 'refuses bad requests by code before it opens anything',
  'opens before checking the model': 'is refused before any compute by a model that lacks what it requires',
  'fills canvases that are too long': 'refuses lengths that the model cannot hold by code',
};

const EDIT: Caught<EditFault> = {
  'ignores the limit': 'cuts at maxNewTokens exactly',
  'limits all rows as the first': 'cuts at maxNewTokens exactly',
  'ignores stops': STOPS,
  'obeys stops in row 0 only': STOPS,
  'asks about finished rows': 'asks of a row in a batch what it asks of the row alone, and nothing of a finished row',
  'ignores output prefixes': 'starts inside an output, or refuses to',
  'outputs the placeholder': 'shows what it commits, commits it once, and counts its forwards',
  'takes scores that are not numbers': 'refuses scores that are NaN or +Infinity by code, naming row and position',
  'tells wrong origins': 'says where positions stood in the revision before',
  'shares state between decodes': 'depends on nothing but the model and the source, and serves two decodes at once',
  'counts too few forwards': 'shows what it commits, commits it once, and counts its forwards',
  'shows something else than it commits': 'shows what it commits, commits it once, and counts its forwards',
  'leaks its session': 'fails as a forward does, and releases everything then and when the reader stops reading',
  'computes after an abort': 'stops at an abort, throws its reason and releases everything',
  'swallows a failed forward':
    'fails as a forward does, and releases everything then and when the reader stops reading',
  'skips validation': 'refuses bad requests and models of another kind by code before it opens anything',
  'opens before checking the model': 'refuses bad requests and models of another kind by code before it opens anything',
};

function suite<Fault extends string>(
  name: string,
  caught: Caught<Fault>,
  define: (runner: Runner, fault: Fault) => void,
): void {
  const broken = (outcomes: readonly Outcome[]): string[] =>
    outcomes.filter(({ error }) => error !== undefined).map((outcome) => outcome.name);
  const run = (fault: Fault) => collectOutcomes((runner) => define(runner, fault));

  describe(`the ${name} suite`, () => {
    it('passes a minimal correct decoder', async () => {
      expect(broken(await run('none' as Fault))).toEqual([]);
    });

    it.each(Object.entries<string>(caught))('catches a decoder that %s', async (fault, law) => {
      expect(broken(await run(fault as Fault))).toContain(law);
    });

    it('has no law that cannot fail', async () => {
      const all = (await run('none' as Fault)).map((outcome) => outcome.name);
      expect([...new Set(Object.values<string>(caught))].filter((law) => !all.includes(law))).toEqual([]);
      const never = all.filter((law) => ![...Object.values<string>(caught), ...COMMON_LAWS, BEGINS].includes(law));
      expect(never).toEqual(NOT_NAMED[name] ?? []);
    });
  });
}

/** Laws that no fault is named after, since each is found by another law first. */
const NOT_NAMED: Readonly<Record<string, readonly string[]>> = {
  edit: ['ends by code where no token can take the place of a placeholder'],
};

suite<LatticeFault>('lattice', LATTICE, (runner, fault) => {
  const decoder = minimalLattice(fault);
  latticeConformance({ runner, name: 'mutant', createDecoder: () => decoder });
});

suite<CanvasFault>('canvas', CANVAS, (runner, fault) => {
  const decoder = minimalCanvas(fault);
  canvasConformance({ runner, name: 'mutant', createDecoder: () => decoder, models: 6 });
});

suite<EditFault>('edit', EDIT, (runner, fault) => {
  const decoder = minimalEdit(fault);
  editConformance({ runner, name: 'mutant', createDecoder: () => decoder, models: 6 });
});
