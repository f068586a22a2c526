import { nameHint, nearestHint } from '@foretoken/core/kit';
import { type CAC, cac } from 'cac';
import { type CommandDefinition, GLOBAL_OPTIONS, type OptionDefinition } from './command.js';
import { usageError } from './errors.js';
import { Options, SHELTER, unnegated } from './options.js';

/** A parsed command line; `command` is absent when only global options were given. */
export interface Arguments {
  readonly command?: CommandDefinition | undefined;
  readonly positionals: readonly string[];
  readonly options: Options;
}

/** Parses a command line. Throws `INVALID_ARGUMENT` for anything unknown, missing or too much. */
export function parseArguments(argv: readonly string[], commands: readonly CommandDefinition[]): Arguments {
  const values: string[] = [];
  const cli = cac('foretoken');
  for (const { flag, description } of GLOBAL_OPTIONS) cli.option(unnegated(flag), description);
  for (const { name, description, options } of commands) {
    const command = cli.command(name, description);
    for (const option of options) command.option(unnegated(option.flag), option.description);
  }
  const flags = flagsOf([...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)]);
  const named = commands.find(({ name }) => name === argv.find((word) => !word.startsWith('-')));
  cli.parse(['node', 'foretoken', ...shelterValues(argv, flags, values, named)], { run: false });
  const command = commands.find(({ name }) => name === cli.matchedCommandName);
  const words = [...cli.args, ...(cli.options['--'] as readonly string[])].map(String);
  if (command === undefined && words[0] !== undefined) {
    throw unknownCommand(words[0], commands);
  }
  const options = new Options(cli.options, values);
  if (command === undefined || options.flag('help')) {
    return { positionals: [], options, command };
  }
  checkOptions(cli, command);
  const { positionals, optionals = [] } = command;
  const any = optionals.some((name) => name.endsWith('...'));
  const max = any ? Number.POSITIVE_INFINITY : positionals.length + optionals.length;
  if (words.length < positionals.length) {
    const missing = positionals.slice(words.length);
    const example = command.examples[0] === undefined ? '' : ` For example: ${command.examples[0]}`;
    throw usageError(`foretoken ${command.name} needs ${missing.map((name) => `<${name}>`).join(' ')}.${example}`, {
      missing,
    });
  }
  if (words.length > max) {
    const out = command.options.some(({ flag }) => flag.startsWith('--out ')) && options.text('out') === undefined;
    const hint = out ? ` To write there, give --out ${words[max]}.` : ' Put a text of several words into quotes.';
    throw usageError(`Unexpected argument ${words[max]} after foretoken ${command.name}.${hint}`, {
      received: words[max],
    });
  }
  return { command, positionals: words, options };
}

/** What other tools call something that a command here does. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  benchmark: 'doctor',
  bench: 'doctor',
  chat: 'decode --chat',
  convert: 'import',
  generate: 'decode',
  run: 'decode',
  show: 'inspect',
  spell: 'correct',
  translate: 'decode',
};

/** An `INVALID_ARGUMENT` error about a command that there is not, with the nearest one. */
export function unknownCommand(received: string, commands: readonly CommandDefinition[]): Error {
  const names = commands.map(({ name }) => name);
  const elsewhere = Object.hasOwn(ELSEWHERE, received) ? ELSEWHERE[received] : undefined;
  const hint = elsewhere === undefined ? nameHint(received, names) : ` Did you mean foretoken ${elsewhere}?`;
  const near = hint.startsWith(' Did you mean') ? hint : '';
  return usageError(`Unknown command ${received}.${near} Commands: ${names.join(', ')}.`, { received });
}

/** Every way to write each option, and whether it takes a value. */
function flagsOf(options: readonly OptionDefinition[]): ReadonlyMap<string, boolean> {
  return new Map(
    options.flatMap(({ flag }) => {
      const [names, ...value] = flag.split(' <');
      return names.split(', ').map((name) => [name, value.length > 0] as const);
    }),
  );
}

/**
 * Puts a reference into `values` in the place of every option's value.
 *
 * The parser under cac reads "1e3" as a number, "" as 0, and takes a value that begins with a hyphen for an option; a
 * sentence to translate may be any of these.
 */
function shelterValues(
  argv: readonly string[],
  flags: ReadonlyMap<string, boolean>,
  values: string[],
  command: CommandDefinition | undefined,
): string[] {
  const sheltered: string[] = [];
  const shelter = (name: string, value: string): void => {
    sheltered.push(`${unnegated(name)}=${SHELTER}${values.push(value) - 1}`);
  };
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index];
    if (argument === '--') return [...sheltered, ...argv.slice(index)];
    if (!argument.startsWith('-')) {
      sheltered.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const takesValue = flags.get(name);
    if (takesValue === undefined) throw unknownOption(name, command, flags);
    if (!takesValue) {
      if (equals >= 0) throw usageError(`${name} takes no value.`, { option: name, received: argument });
      // Spelled out, or the parser would look for its value in the next word.
      sheltered.push(`${unnegated(name)}=true`);
    } else if (equals >= 0) shelter(name, argument.slice(equals + 1));
    else {
      const next = argv[++index];
      if (next === undefined || flags.has(next)) throw usageError(`${name} needs a value.`, { option: name });
      shelter(name, next);
    }
  }
  return sheltered;
}

function unknownOption(
  received: string,
  command: CommandDefinition | undefined,
  all: ReadonlyMap<string, boolean>,
): Error {
  const known = command === undefined ? all : flagsOf([...command.options, ...GLOBAL_OPTIONS]);
  const help = command === undefined ? 'foretoken --help' : `foretoken ${command.name} --help`;
  return usageError(`Unknown option ${received}.${nameHint(received, [...known.keys()])} ${help} lists all.`, {
    received,
  });
}

function checkOptions(cli: CAC, command: CommandDefinition): void {
  for (const key of Object.keys(cli.options)) {
    if (key !== '--' && !cli.matchedCommand?.hasOption(key) && !cli.globalCommand.hasOption(key)) {
      const name = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^without-/, 'no-')}`;
      const near = nearestHint(name, [...flagsOf(command.options).keys()]);
      throw usageError(`foretoken ${command.name} has no option ${name}.${near}`, {
        command: command.name,
        received: name,
      });
    }
  }
}
