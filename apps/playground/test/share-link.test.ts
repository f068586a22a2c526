import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstChoice, fromHash, ignoredOf, type RaceChoice, toHash } from '../src/app/share-link.js';
import { STRATEGIES } from '../src/run/strategies.js';
import { TASKS } from '../src/run/tasks.js';

describe('a link', () => {
  const choices = fc.constantFrom(...TASKS).chain(({ id: task }) => {
    const offered = STRATEGIES.filter(({ tasks }) => tasks.includes(task));
    return fc.record({
      task: fc.constant(task),
      input: fc.string({ unit: 'grapheme', minLength: 1 }),
      seed: fc.nat(0xffffffff),
      strategies: fc.uniqueArray(fc.constantFrom(...offered.map(({ id }) => id)), { minLength: 1, maxLength: 3 }),
      options: fc.constant({}),
    });
  });

  it('opens the race that it was made of', () => {
    fc.assert(
      fc.property(choices, fc.nat(10), (choice: RaceChoice, more) => {
        const [first] = choice.strategies;
        const option = STRATEGIES.find(({ id }) => id === first)?.options[0];
        const value = option === undefined ? 0 : Math.min(option.max, option.min + more * option.step);
        const given: RaceChoice =
          option === undefined ? choice : { ...choice, options: { [first]: { [option.name]: value } } };
        const opened = fromHash(toHash(given));
        expect(opened).toMatchObject({
          task: given.task,
          input: given.input,
          seed: given.seed,
          strategies: given.strategies,
        });
        if (option !== undefined) expect(opened.options[first][option.name]).toBeCloseTo(value);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it.each(['', '#', '#task=nothing&with=greedy+nothing&seed=-3', '#with=dag&seed=many&beam.beamSize=1e9'])(
    '%j still opens',
    (hash) => {
      const { strategies, seed } = fromHash(hash);
      expect(seed).toBe(0);
      expect(strategies.length).toBeGreaterThan(0);
      expect(strategies).toEqual(hash.includes('greedy+nothing') ? ['greedy'] : firstChoice('correct').strategies);
    },
  );

  it('holds options within their limits and on their steps', () => {
    expect(fromHash('#with=beam&beam.beamSize=1000').options.beam).toEqual({ beamSize: 6 });
    expect(fromHash('#with=beam&beam.beamSize=2.6').options.beam).toEqual({ beamSize: 3 });
    expect(fromHash('#with=sampling&sampling.temperature=0.333').options.sampling).toEqual({ temperature: 0.3 });
  });

  it('tells what of a link it could not take', () => {
    fc.assert(
      fc.property(choices, (choice: RaceChoice) => {
        expect(ignoredOf(toHash(choice))).toEqual([]);
      }),
      { seed: 5, numRuns: 100 },
    );
    expect(ignoredOf('')).toEqual([]);
    expect(ignoredOf('#with=beam&beam.beamSize=3')).toEqual([]);
    expect(ignoredOf('#task=nothing&with=greedy&seed=-3&beam.beamSize=2&colour=red')).toEqual([
      'task=nothing',
      'seed=-3',
      'beam.beamSize=2',
      'colour=red',
    ]);
    expect(ignoredOf('#with=greedy+nothing')).toEqual(['with=greedy nothing']);
    expect(ignoredOf('#with=beam&beam.beamSize=2.6')).toEqual(['beam.beamSize=2.6']);
  });
});
