import type { BeamSearchOptions } from '@foretoken/beam';
import type { ScoreRules } from '@foretoken/core';
import type { SamplingOptions } from '@foretoken/greedy';
import type { Options } from './arguments.js';
import type { OptionDefinition } from './command.js';
import { usageError } from './errors.js';
import type { StrategyName } from './strategies.js';

/** What the command line says of how to search; each strategy takes what it knows. */
export interface StrategyOptions {
  readonly rules: Pick<ScoreRules, 'repetitionPenalty' | 'noRepeatNgramSize' | 'minNewTokens'>;
  readonly sampling: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP' | 'samples'>;
  readonly beam: Pick<BeamSearchOptions, 'beamSize' | 'lengthPenalty' | 'hypotheses'>;
  readonly seed?: number;
}

interface Definition extends OptionDefinition {
  readonly name: string;
  readonly strategies: readonly StrategyName[];
  readonly integer: boolean;
  readonly group: 'rules' | 'sampling' | 'beam' | 'seed';
  readonly key: string;
}

const RULED: readonly StrategyName[] = ['greedy', 'sampling', 'beam'];

function define(
  name: string,
  group: Definition['group'],
  integer: boolean,
  description: string,
  strategies: readonly StrategyName[] = group === 'rules' ? RULED : [group === 'beam' ? 'beam' : 'sampling'],
): Definition {
  const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const of = strategies.length === 1 ? `${strategies[0]}: ` : '';
  return { name, flag: `--${name} <n>`, description: `${of}${description}`, strategies, integer, group, key };
}

const DEFINITIONS: readonly Definition[] = [
  define('beam-size', 'beam', true, 'hypotheses kept at each step (default 4)'),
  define('length-penalty', 'beam', false, 'exponent of the length that scores are divided by (default 1)'),
  define('hypotheses', 'beam', true, 'hypotheses to return, in --json and --jsonl (default 1)'),
  define('temperature', 'sampling', false, 'divides the scores; 0 takes the best token (default 1)'),
  define('top-k', 'sampling', true, 'keep the k most probable tokens'),
  define('top-p', 'sampling', false, 'keep the most probable tokens that reach this probability'),
  define('min-p', 'sampling', false, 'keep tokens this fraction as probable as the best one'),
  define('samples', 'sampling', true, 'outputs a line, in --json and --jsonl; ranked by probability (default 1)'),
  define('seed', 'seed', true, 'seed of the random choices (default 0)', ['sampling']),
  define('repetition-penalty', 'rules', false, 'above 1 discourages tokens that occurred; not with ctc or speculative'),
  define('no-repeat-ngram-size', 'rules', true, 'no run of n tokens occurs twice; not with ctc or speculative'),
  define('min-new-tokens', 'rules', true, 'least output tokens a line; not with ctc or speculative'),
];

export const STRATEGY_OPTIONS: readonly OptionDefinition[] = DEFINITIONS.map(({ flag, description }) => ({
  flag,
  description,
}));

/** Reads what goes with a strategy; its values are checked by the strategy. Throws `INVALID_ARGUMENT`. */
export function readStrategyOptions(options: Options, strategy: StrategyName): StrategyOptions {
  const groups: Record<Definition['group'], Record<string, number>> = { rules: {}, sampling: {}, beam: {}, seed: {} };
  for (const { name, strategies, integer, group, key } of DEFINITIONS) {
    const value = integer ? options.integer(name, 0, 0xffffffff) : options.number(name);
    if (value === undefined) continue;
    if (!strategies.includes(strategy)) {
      throw usageError(`--${name} goes with --strategy ${strategies.join(' or ')}, not with ${strategy}.`, {
        option: name,
        strategy,
      });
    }
    groups[group][key] = value;
  }
  const { rules, sampling, beam, seed } = groups;
  return { rules, sampling, beam, ...seed };
}
