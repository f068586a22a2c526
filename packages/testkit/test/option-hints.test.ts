import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { STRATEGIES } from './odd-strategies.js';

interface Refusal {
  readonly hint: string;
  readonly options: readonly string[];
}

const refusals = new Map<string, Refusal>();

/** What a strategy says of an option that it does not have, and which it has. */
function refusalOf(name: string, option: string): Refusal {
  const { factory, needed = {} } = STRATEGIES.find((one) => one.name === name) ?? {};
  const known = refusals.get(`${name} ${option}`);
  if (known !== undefined) return known;
  try {
    factory?.({ ...needed, [option]: 1 } as never);
  } catch (error) {
    if (!ForetokenError.isInstance(error)) throw error;
    const refusal = { hint: error.message, options: error.details.required as readonly string[] };
    refusals.set(`${name} ${option}`, refusal);
    return refusal;
  }
  throw new Error(`${name} takes ${option}.`);
}

const OPTIONS = new Map(STRATEGIES.map(({ name }) => [name, refusalOf(name, 'unheardOf').options]));
/** Names in a list such as `a, b and c; d`; the request takes what its type says. */
const namesIn = (list: string): readonly string[] =>
  list.split(/; |, | and /).filter((name) => !['decode', 'in its request'].includes(name));

describe('hints of who takes an option', () => {
  it('name strategies that take it, for every option and every strategy without it', () => {
    const wrong = new Set<string>();
    const told = new Set<string>();
    const all = new Set([...OPTIONS.values()].flat());
    for (const [name, own] of OPTIONS) {
      for (const option of all) {
        if (own.includes(option)) continue;
        const [, meant, takers = ''] = /(\w+) is taken by: ([^.]+)\./.exec(refusalOf(name, option).hint) ?? [];
        if (meant === undefined) continue;
        told.add(option);
        for (const taker of namesIn(takers)) {
          if (OPTIONS.get(taker)?.includes(meant) !== true) wrong.add(`${meant}: ${taker}`);
        }
      }
    }
    expect([...wrong]).toEqual([]);
    expect(told.size).toBeGreaterThan(20);
  });
});
