import type { TaskId } from './tasks.js';

/** A number that a strategy takes. */
export interface StrategyOption {
  readonly name: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
}

export type OptionValues = Readonly<Record<string, number>>;

/** A strategy as the playground offers it. */
export interface Strategy {
  readonly id: string;
  readonly label: string;
  readonly tasks: readonly TaskId[];
  readonly options: readonly StrategyOption[];
}

const iterations = (value: number, max = 10): StrategyOption => ({
  name: 'iterations',
  label: 'Iterations',
  min: 1,
  max,
  step: 1,
  value,
});
const draftTokens = (value: number): StrategyOption => ({
  name: 'draftTokens',
  label: 'Tokens of a draft',
  min: 1,
  max: 32,
  step: 1,
  value,
});
const temperature: StrategyOption = {
  name: 'temperature',
  label: 'Temperature',
  min: 0.1,
  max: 2,
  step: 0.1,
  value: 0.7,
};

export const STRATEGIES: readonly Strategy[] = [
  {
    id: 'greedy',
    label: 'Greedy',
    tasks: ['correct', 'translate'],
    options: [],
  },
  {
    id: 'speculative-copy',
    label: 'Speculative, copying',
    tasks: ['correct'],
    options: [draftTokens(12)],
  },
  {
    id: 'speculative',
    label: 'Speculative, CTC drafts',
    tasks: ['correct', 'translate'],
    options: [draftTokens(6)],
  },
  {
    id: 'ctc',
    label: 'CTC, all at once',
    tasks: ['correct', 'translate'],
    options: [],
  },
  {
    id: 'beam',
    label: 'Beam search',
    tasks: ['correct', 'translate'],
    options: [{ name: 'beamSize', label: 'Beams', min: 1, max: 6, step: 1, value: 3 }],
  },
  {
    id: 'sampling',
    label: 'Sampling',
    tasks: ['correct', 'translate'],
    options: [temperature],
  },
  {
    id: 'dag',
    label: 'DAG, best path',
    tasks: ['translate'],
    options: [],
  },
  {
    id: 'mask-predict',
    label: 'Mask-predict',
    tasks: ['translate'],
    options: [iterations(4)],
  },
  {
    id: 'levenshtein',
    label: 'Levenshtein edits',
    tasks: ['translate'],
    options: [iterations(4)],
  },
  {
    id: 'diffusion',
    label: 'Diffusion, one by one',
    tasks: ['shakespeare'],
    options: [temperature],
  },
  {
    id: 'diffusion-fast',
    label: 'Diffusion, few iterations',
    tasks: ['shakespeare'],
    options: [temperature, iterations(8, 20)],
  },
];

/** What people read a strategy as; its own name where the page does not know it. */
export function labelOf(id: string): string {
  return strategyOf(id)?.label ?? id;
}

export function strategyOf(id: string): Strategy | undefined {
  return STRATEGIES.find((strategy) => strategy.id === id);
}

/** The options of a strategy, what was given in their place, held within their limits and on their steps. */
export function optionsOf({ options }: Strategy, given: OptionValues = {}): OptionValues {
  return Object.fromEntries(options.map((option) => [option.name, heldBy(option, given[option.name] ?? option.value)]));
}

function heldBy({ min, max, step }: StrategyOption, value: number): number {
  const steps = Math.round((Math.min(max, Math.max(min, value)) - min) / step);
  // Tenths do not add up to what they are written as.
  return Number((min + steps * step).toFixed(6));
}
