import { type CommandDefinition, GLOBAL_OPTIONS, type OptionDefinition } from './command.js';

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`);
}

function optionRows(options: readonly OptionDefinition[]): string[] {
  return columns(options.map(({ flag, description }) => [flag, description]));
}

export function usageLine({ name, positionals, options }: CommandDefinition): string {
  const words = positionals.map((positional) => ` <${positional}>`).join('');
  return `foretoken ${name}${words}${options.length > 0 ? ' [options]' : ''}`;
}

/** Help of one command: examples first, since they are what people look for. */
export function commandHelp(command: CommandDefinition): string {
  const { options, sections = [] } = command;
  const own = [...new Set(options.flatMap((option) => option.section ?? []))];
  return [
    `${command.description}\n`,
    section('Examples', command.examples),
    section('Usage', [usageLine(command)]),
    ...sections.map(({ title, rows }) => section(title, columns(rows))),
    section('Options', optionRows([...options.filter((option) => option.section === undefined), ...GLOBAL_OPTIONS])),
    ...own.map((title) => section(title, optionRows(options.filter((option) => option.section === title)))),
  ].join('\n');
}

export function programHelp(commands: readonly CommandDefinition[]): string {
  return [
    'Correct and translate text with small models: autoregressive, one-shot, and speculative decoding.\n',
    section(
      'Examples',
      commands.map(({ examples }) => examples[0]),
    ),
    section('Commands', columns(commands.map((command) => [usageLine(command), command.description]))),
    section('Options', optionRows(GLOBAL_OPTIONS)),
    'Run foretoken COMMAND --help for the options of a command.\nExit codes: 0 done, 1 failure, 2 bad usage, input or model folder, 130 interrupted.\n',
  ].join('\n');
}
