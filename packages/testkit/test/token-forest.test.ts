import { collectOutcomes, tokenForestConformance } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { FAULTS } from './faulty-forests.js';
import { type Fault, faulty, SOURCES, scripted } from './wrapped-forests.js';

tokenForestConformance({
  runner: { describe, it },
  name: 'a scripted model',
  createModel: () => scripted(),
  sources: SOURCES,
});

describe('narrower models', () => {
  for (const supports of [
    { joining: false },
    { outputs: ['argmax'] },
    { branching: false },
    { rollback: false },
  ] as const) {
    tokenForestConformance({
      runner: { describe, it },
      name: `a model with ${JSON.stringify(supports)}`,
      createModel: () => scripted(supports),
      sources: SOURCES,
    });
  }
});

const STATED = 'states of itself what holds, and refuses no sources by code';
const sound = scripted();
const { supports, vocabulary } = sound;

/** Models that say of themselves what is not so. */
const MISSTATED: Readonly<Record<string, Partial<typeof sound>>> = {
  'an end token outside the vocabulary': { vocabulary: { ...vocabulary, endTokenId: 7 } },
  'costs that are none': { costs: { milliseconds: () => Number.NaN } },
  'costs of nothing': { costs: { milliseconds: () => 0 } },
  'costs that fall with the width': { costs: { milliseconds: (_rows, nodes) => 99 - nodes } },
  'costs that fall with the rows': { costs: { milliseconds: (rows) => 99 - rows } },
  'hidden states that it does not have': { supports: { ...supports, states: ['logits'] } },
  'longer paths than it reads': { maxLength: sound.maxLength + 5 },
  'more candidates than there are': { supports: { ...supports, maxCandidates: 100 } },
  'fewer candidates than it gives': { supports: { ...supports, maxCandidates: 2 } },
  'sources where there are none': { open: (given) => sound.open(given.length === 0 ? SOURCES : given) },
};

describe('the suite of token forests', () => {
  const lawsOf = (fault: Fault) =>
    collectOutcomes((runner) =>
      tokenForestConformance({ runner, name: 'mutant', createModel: () => faulty(fault), sources: SOURCES }),
    );

  it('passes a forest behind another', async () => {
    const outcomes = await lawsOf(() => ({}));
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    // Every law can fail.
    expect(new Set([...FAULTS.map(([, law]) => law), STATED])).toEqual(new Set(outcomes.map(({ name }) => name)));
  });

  it.each(Object.entries(MISSTATED))('catches a model that states %s', async (_, stated) => {
    const createModel = () => ({ ...scripted(), ...stated });
    const outcomes = await collectOutcomes((runner) =>
      tokenForestConformance({ runner, name: 'mutant', createModel, sources: SOURCES, scripts: 1 }),
    );
    expect(outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name)).toContain(STATED);
  });

  it.each(FAULTS)('catches a forest that %s', async (_, law, fault) => {
    const broken = (await lawsOf(fault)).filter(({ error }) => error !== undefined);
    expect(broken.map(({ name }) => name)).toContain(law);
  });
});
