import { ForetokenError } from '@foretoken/core';
import type { OptionDefinition } from '../command.js';
import { usageError } from '../errors.js';
import type { Options } from '../options.js';
import { partOf, STRATEGIES, type StrategyName } from '../strategy-names.js';
import { AUTOREGRESSIVE } from './autoregressive.js';
import { CANVAS, EDIT } from './canvases.js';
import type { RequestOption, StrategyDefinition } from './definition.js';
import { CTC, DAG } from './lattices.js';
import { REQUEST_OPTIONS } from './shared-options.js';
import { definitionOf, flagName, type Given, type StrategyOption, type StrategyOptions } from './strategy-option.js';

/** Every strategy of the command line: what it takes, and how it is made. */
export const DEFINITIONS: Readonly<Record<StrategyName, StrategyDefinition>> = {
  ...AUTOREGRESSIVE,
  ...CTC,
  ...CANVAS,
  ...DAG,
  ...EDIT,
};

/** What was given of a strategy's options. */
export interface GivenOptions {
  /** Of those of its decoder, by its names. */
  readonly decoder: Readonly<Record<string, unknown>>;
  /** Of those that go with requests. */
  readonly request: Given<typeof REQUEST_OPTIONS>;
}

/** All options of a strategy, by the names that code has for them. */
function optionsOf({ options, request = [] }: StrategyDefinition): StrategyOptions {
  return { ...options, ...Object.fromEntries(request.map((name) => [name, REQUEST_OPTIONS[name]])) };
}

const ALL: ReadonlyMap<string, StrategyOption> = new Map(
  STRATEGIES.flatMap((strategy) => Object.entries(optionsOf(DEFINITIONS[strategy]))),
);

/** Each option of any strategy, once. */
export const STRATEGY_OPTIONS: readonly OptionDefinition[] = [...ALL].map(([name, option]) =>
  definitionOf(name, option),
);

/** Each strategy with what it needs and which options it takes, for the help. */
export const STRATEGY_HELP: readonly (readonly [string, string])[] = STRATEGIES.map((strategy) => {
  const part = { autoregressive: 'autoregressive', ctc: 'CTC', canvas: 'canvas', dag: 'DAG', edit: 'edit' };
  return [strategy, [`${part[partOf(strategy)]} model`, ...flagsOf(strategy)].join(' ')];
});

function flagsOf(strategy: StrategyName): string[] {
  return Object.keys(optionsOf(DEFINITIONS[strategy])).map((name) => `--${flagName(name)}`);
}

/**
 * Reads what goes with a strategy; its values are checked by the strategy. Throws `INVALID_ARGUMENT` for what it does not take.
 */
export function readStrategyOptions(options: Options, strategy: StrategyName): GivenOptions {
  const definition = DEFINITIONS[strategy];
  const own = optionsOf(definition);
  const read = new Map<string, unknown>();
  for (const [name, option] of ALL) {
    const value = option.read(options, flagName(name));
    if (value === undefined) continue;
    if (!Object.hasOwn(own, name)) throw notTaken(name, strategy);
    read.set(name, value);
  }
  const isOfRequest = (name: string): boolean => (definition.request ?? []).includes(name as RequestOption);
  const decoder = Object.fromEntries([...read].filter(([name]) => !isOfRequest(name)));
  definition.check?.(decoder);
  return {
    decoder,
    request: Object.fromEntries([...read].filter(([name]) => isOfRequest(name))),
  };
}

function notTaken(name: string, strategy: StrategyName): Error {
  const required = STRATEGIES.filter((other) => Object.hasOwn(optionsOf(DEFINITIONS[other]), name));
  const own = flagsOf(strategy);
  const takes = own.length === 0 ? 'takes no option of its own' : `takes ${own.join(', ')}`;
  return usageError(
    `--${flagName(name)} goes with --strategy ${alternatives(required)}, not with ${strategy}, which ${takes}.`,
    { option: flagName(name), strategy, required, takes: own },
  );
}

function alternatives(names: readonly string[]): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** An error about an option, naming it as the command line does; any other as it is. */
export function inFlags(error: unknown, strategy: StrategyName): unknown {
  if (!ForetokenError.isInstance(error) || error.code !== 'INVALID_ARGUMENT') return error;
  const name = String(error.details.option);
  if (!Object.hasOwn(DEFINITIONS[strategy].options, name) || !error.message.startsWith(`${name} `)) return error;
  const message = `--${flagName(name)}${error.message.slice(name.length)}`;
  return new ForetokenError(error.code, message, { ...error.details, option: flagName(name) }, { cause: error });
}
