import { describe, expect, it } from 'vitest';
import { DEFINITIONS, STRATEGY_HELP, STRATEGY_OPTIONS } from '../src/strategies/all-strategies.js';
import { REQUEST_OPTIONS } from '../src/strategies/shared-options.js';
import { flagName, type StrategyOptions } from '../src/strategies/strategy-option.js';
import { STRATEGIES, type StrategyName } from '../src/strategy-names.js';
import { modelWithStudents } from './students.js';
import { cli } from './support.js';

const optionsOf = (strategy: StrategyName): StrategyOptions => {
  const { options, request = [] } = DEFINITIONS[strategy];
  return { ...options, ...Object.fromEntries(request.map((name) => [name, REQUEST_OPTIONS[name]])) };
};
const loaded = { loadModel: () => Promise.reject(new Error('must not be loaded')) };

describe('the options of a strategy', () => {
  it('mean the same wherever they are taken, since help lists them once', () => {
    const seen = new Map<string, string>();
    for (const strategy of STRATEGIES) {
      for (const [name, { description }] of Object.entries(optionsOf(strategy))) {
        expect(seen.get(name) ?? description).toBe(description);
        seen.set(name, description);
      }
    }
    expect(STRATEGY_OPTIONS.map(({ flag }) => flag.split(' ')[0])).toEqual(
      [...seen.keys()].map((name) => `--${flagName(name)}`),
    );
  });

  it('stand beside it in the help', () => {
    for (const [strategy, text] of STRATEGY_HELP) {
      const flags = Object.keys(optionsOf(strategy as StrategyName)).map((name) => `--${flagName(name)}`);
      expect(text.split(' model')[1].trim().split(' ').filter(Boolean)).toEqual(flags);
    }
  });

  it.each(STRATEGIES)(
    'are all that %s takes; others are refused with those, before a model is loaded',
    async (strategy) => {
      const own = Object.keys(optionsOf(strategy)).map(flagName);
      for (const { flag, values } of STRATEGY_OPTIONS) {
        const [name, value] = flag.slice(2).split(' ');
        if (own.includes(name)) continue;
        const given = value === undefined ? [] : [values?.[0] ?? '1'];
        const argv = ['decode', '--strategy', strategy, '--text', 'a', `--${name}`, ...given];
        const { code, stderr } = await cli(argv, { services: loaded });
        expect(code).toBe(2);
        expect(stderr).toContain(`--${name} goes with --strategy `);
        expect(stderr).toContain(
          `not with ${strategy}, which takes ${own.length === 0 ? 'no option of its own' : '--'}`,
        );
        for (const other of own) expect(stderr).toContain(`--${other}`);
      }
    },
  );

  it.each([
    [['beam', '--beam-size', '0'], '--beam-size must be'],
    [['sampling', '--min-p', '2'], '--min-p must be'],
    [['mask-predict', '--min-masked', '2'], '--min-masked must be'],
    [['skeleton-first', '--share', '7'], '--share must be'],
    [['levenshtein', '--per-gap', '0'], '--per-gap must be'],
    [['dag-beam', '--candidates', '0'], '--candidates must be'],
  ])('are called by errors as the command line calls them: %j', async ([strategy, ...more], words) => {
    const argv = ['decode', '--strategy', strategy, ...more, '--text', 'a dog', '--json'];
    const { code, stdout } = await cli(argv, { model: modelWithStudents() });
    expect(code).toBe(2);
    const { message, details } = JSON.parse(stdout).error;
    expect(message).toContain(words);
    expect(details.option).toBe(more[0].slice(2));
  });
});
