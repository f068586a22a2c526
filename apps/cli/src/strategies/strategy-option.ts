import type { OptionDefinition } from '../command.js';
import type { Options } from '../options.js';

/** An option of a strategy on the command line: what it is for, and how its value is read. Its range is checked by the strategy. */
export interface StrategyOption<Value = unknown> {
  readonly description: string;
  /** What help calls its value; absent where it takes none. */
  readonly placeholder?: string | undefined;
  readonly values?: readonly string[] | undefined;
  /** Undefined where it was not given. Throws `INVALID_ARGUMENT`. */
  read(options: Options, flag: string): Value | undefined;
}

/** The options of a strategy, by the names that its decoder has for them. */
export type StrategyOptions = Readonly<Record<string, StrategyOption>>;

/** What was given of such options. */
export type Given<Table extends StrategyOptions> = {
  readonly [Name in keyof Table]?: (Table[Name] extends StrategyOption<infer Value> ? Value : never) | undefined;
};

const MAX_INTEGER = 0xffffffff;

export const integer = (description: string): StrategyOption<number> => ({
  description,
  placeholder: 'n',
  read: (options, flag) => options.integer(flag, 0, MAX_INTEGER),
});

export const number = (description: string): StrategyOption<number> => ({
  description,
  placeholder: 'n',
  read: (options, flag) => options.number(flag),
});

export const flag = (description: string): StrategyOption<true> => ({
  description,
  read: (options, name) => options.flag(name) || undefined,
});

export const path = (description: string): StrategyOption<string> => ({
  description,
  placeholder: 'path',
  read: (options, name) => options.text(name),
});

/** Phrases; it may be given several times. */
export const phrases = (description: string): StrategyOption<readonly string[]> => ({
  description,
  placeholder: 'phrase',
  read: (options, name) => {
    const texts = options.texts(name);
    return texts.length === 0 ? undefined : texts;
  },
});

export const choice = <const Value extends string>(
  values: readonly Value[],
  description: string,
): StrategyOption<Value> => ({
  description,
  placeholder: 'name',
  values,
  read: (options, name) => options.choice(name, values),
});

/** How an option is written on the command line, without its hyphens: `beamSize` is `beam-size`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The same as commands list it. */
export function definitionOf(name: string, { placeholder, description, values }: StrategyOption): OptionDefinition {
  const value = placeholder === undefined ? '' : ` <${placeholder}>`;
  return { flag: `--${flagName(name)}${value}`, description, values, section: 'Options of strategies' };
}
