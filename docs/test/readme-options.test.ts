import * as beam from '@foretoken/beam';
import { ForetokenError } from '@foretoken/core';
import * as greedy from '@foretoken/greedy';
import * as oneShot from '@foretoken/one-shot';
import * as refine from '@foretoken/refine';
import * as speculative from '@foretoken/speculative';
import { randomScriptedModel, scriptedLatticeModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { optionRows } from './option-tables.js';

type Factory = (options: object) => unknown;

const lattice = scriptedLatticeModel({ vocabularySize: 4, blankId: 3, frames: () => [[0, 0, 0, 0]] });
const { vocabulary } = randomScriptedModel({ seed: 1, vocabularySize: 4 });
/** What factories cannot do without. */
const REQUIRED: Readonly<Record<string, object>> = {
  speculative: { drafter: speculative.ngramDrafter({ vocabulary }) },
  latticeDrafter: { model: lattice },
  ngramDrafter: { vocabulary },
  copyDrafter: { vocabulary },
  maskCtc: { initial: { lattice, search: oneShot.ctcGreedy() } },
};
const PLUGINS = { greedy, beam, speculative, 'one-shot': oneShot, refine } as const;
const SCORE_RULES = 'score rules';

function errorOf(call: () => unknown): ForetokenError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error;
    throw error;
  }
}

/** The first and the last number of a range, and whether they are part of it; undefined for what is no range of numbers. */
function bordersOf(range: string): { readonly inside: number[]; readonly outside: number[] } | undefined {
  const number = '(-?[\\d,]+(?:\\.\\d+)?)';
  const match = new RegExp(`^(above )?${number}(?: or (more|less)| to (below )?${number})?$`).exec(range);
  if (match === null) return undefined;
  const [, above, lowText, open, below, highText] = match;
  const low = Number(lowText.replaceAll(',', ''));
  if (open === 'less') return { inside: [low], outside: [low + 1] };
  const inside = above === undefined ? [low] : [low + 1e-9];
  const outside = [above === undefined ? low - 1 : low];
  if (highText !== undefined) {
    const high = Number(highText.replaceAll(',', ''));
    inside.push(below === undefined ? high : high - 1e-9);
    outside.push(below === undefined ? high + 1 : high);
  }
  return { inside, outside };
}

const factoriesOf = (plugin: keyof typeof PLUGINS): Readonly<Record<string, Factory>> =>
  PLUGINS[plugin] as unknown as Readonly<Record<string, Factory>>;

describe.each(Object.keys(PLUGINS) as (keyof typeof PLUGINS)[])('the tables of options of %s', (plugin) => {
  const rows = optionRows(plugin).filter(({ factories }) => !factories.includes('minimumBayesRisk'));
  const names = [...new Set(rows.flatMap(({ factories }) => factories))];

  it('are there', () => {
    expect(names.length).toBeGreaterThan(1);
  });

  it.each(names)('name what %s takes, all of it and no more', (name) => {
    const error = errorOf(() => factoriesOf(plugin)[name]({ ...REQUIRED[name], 'no such option': 1 }));
    const taken = error?.details.required as readonly string[];
    const told = rows.filter(({ factories }) => factories.includes(name)).map(({ option }) => option);
    const rules = optionRows('greedy').filter(({ factories }) => factories.join() === 'greedy,sampling');
    const all = told.flatMap((option) =>
      option === SCORE_RULES
        ? rules.map((rule) => rule.option).filter((rule) => !['scores', 'tokenLogProbs', 'alternatives'].includes(rule))
        : [option],
    );
    expect([...all].sort()).toEqual([...taken].sort());
  });

  it.each(rows.filter(({ range }) => bordersOf(range) !== undefined))('say that $option is $range', (row) => {
    const { option, range, factories } = row;
    const { inside, outside } = bordersOf(range) as NonNullable<ReturnType<typeof bordersOf>>;
    for (const name of factories) {
      const refusal = (value: number) =>
        errorOf(() => factoriesOf(plugin)[name]({ ...REQUIRED[name], [option]: value }));
      for (const value of outside) {
        expect([name, value, refusal(value)?.details.option]).toEqual([name, value, option]);
      }
      // What fits the range may still contradict the other options.
      for (const value of inside) expect(refusal(value)?.message ?? '').not.toMatch(/must be|above|from -?\d/);
    }
  });
});
