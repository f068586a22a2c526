import { type OptionValues, optionsOf, strategyOf } from '../run/strategies.js';
import { type TaskId, taskOf } from '../run/tasks.js';

/** Everything that a race depends on. */
export interface RaceChoice {
  readonly task: TaskId;
  readonly input: string;
  readonly seed: number;
  readonly strategies: readonly string[];
  readonly options: Readonly<Record<string, OptionValues>>;
}

/** Strategies that race at most. */
export const MOST_STRATEGIES = 3;

/** What a task begins with. */
export function firstChoice(id: string): RaceChoice {
  const { id: task, examples, strategies } = taskOf(id);
  return { task, input: examples[0] ?? '', seed: 0, strategies, options: {} };
}

/** A choice as the part of an address behind `#`; options at their defaults are left out. */
export function toHash({ task, input, seed, strategies, options }: RaceChoice): string {
  const fields = new URLSearchParams({ task, input, seed: String(seed), with: strategies.join(' ') });
  for (const id of strategies) {
    const strategy = strategyOf(id);
    for (const { name, value } of strategy?.options ?? []) {
      const given = options[id]?.[name];
      if (given !== undefined && given !== value) fields.set(`${id}.${name}`, String(given));
    }
  }
  return `#${fields}`;
}

/** Fields of a link that the choice made of it does not hold: names that are not known, values out of range. */
export function ignoredOf(hash: string): string[] {
  const choice = fromHash(hash);
  const kept = new URLSearchParams(toHash(choice).slice(1));
  const isKept = (name: string, value: string): boolean => {
    const [id = '', option = ''] = name.split('.');
    return kept.get(name) === value || choice.options[id]?.[option] === Number(value);
  };
  return [...new URLSearchParams(hash.replace(/^#/, ''))]
    .filter(([name, value]) => !isKept(name, value))
    .map(([name, value]) => `${name}=${value}`);
}

/** Reads a choice; what is missing or makes no sense is as at first, so an old link still opens. */
export function fromHash(hash: string): RaceChoice {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const first = firstChoice(fields.get('task') ?? '');
  const seed = Number(fields.get('seed') ?? 0);
  const named = [...new Set((fields.get('with') ?? '').split(' '))].filter((id) =>
    strategyOf(id)?.tasks.includes(first.task),
  );
  const strategies = named.length > 0 ? named.slice(0, MOST_STRATEGIES) : first.strategies;
  const options: Record<string, OptionValues> = {};
  for (const id of strategies) {
    const strategy = strategyOf(id);
    if (strategy === undefined) continue;
    const given: Record<string, number> = {};
    for (const { name } of strategy.options) {
      const value = Number(fields.get(`${id}.${name}`) ?? Number.NaN);
      if (Number.isFinite(value)) given[name] = value;
    }
    options[id] = optionsOf(strategy, given);
  }
  return {
    task: first.task,
    input: fields.get('input') ?? first.input,
    seed: Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff ? seed : 0,
    strategies,
    options,
  };
}
