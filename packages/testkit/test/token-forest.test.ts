import { collectOutcomes, tokenForestConformance } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { FAULTS, type Fault, faulty, SOURCES, scripted } from './faulty-forests.js';

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

describe('the suite of token forests', () => {
  const lawsOf = (fault: Fault) =>
    collectOutcomes((runner) =>
      tokenForestConformance({ runner, name: 'mutant', createModel: () => faulty(fault), sources: SOURCES }),
    );

  it('passes a forest behind another', async () => {
    const outcomes = await lawsOf(() => ({}));
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    // Every law can fail.
    expect(new Set(FAULTS.map(([, law]) => law))).toEqual(new Set(outcomes.map(({ name }) => name)));
  });

  it.each(FAULTS)('catches a forest that %s', async (_, law, fault) => {
    const broken = (await lawsOf(fault)).filter(({ error }) => error !== undefined);
    expect(broken.map(({ name }) => name)).toContain(law);
  });
});
