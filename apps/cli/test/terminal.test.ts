import fc from 'fast-check';
import { expect, it } from 'vitest';
import { table } from '../src/terminal/table.js';
import { definitions, wrap } from '../src/terminal/wrap.js';

const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 30 });

it('wraps at words, losing none, and never over the width', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 14, max: 60 }), (list, width) => {
      const lines = wrap(list.join(' '), width, '  ');
      expect(
        lines
          .map((line) => line.trim())
          .join(' ')
          .split(' '),
      ).toEqual(list);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }),
    { seed: 16 },
  );
});

it('puts meanings beside names where there is room, else below', () => {
  expect(definitions([['--a', 'b c']], 80)).toEqual(['--a  b c']);
  expect(definitions([['--long-name <value>', 'what it means']], 40)).toEqual([
    '--long-name <value>',
    '    what it means',
  ]);
});

it('turns a table that is too wide into records', () => {
  const rows = [
    ['strategy', 'ms', 'speedup'],
    ['greedy', '4.1', '1.00x'],
  ];
  expect(table(rows, 40)).toEqual(['strategy   ms  speedup', 'greedy    4.1    1.00x']);
  expect(table(rows, 20)).toEqual(['greedy', '  ms       4.1', '  speedup  1.00x']);
});
