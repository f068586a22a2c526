import { type CommandDefinition, GLOBAL_OPTIONS, type OptionDefinition } from './command.js';
import { definitions, wrap, wrapWords } from './terminal/wrap.js';

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function optionRows(options: readonly OptionDefinition[], width: number): string[] {
  return definitions(
    options.map(({ flag, description }) => [flag, description]),
    width,
  );
}

function usageLine({ name, positionals, optionals = [], options }: CommandDefinition): string {
  const words = [...positionals.map((word) => ` <${word}>`), ...optionals.map((word) => ` [${word}]`)].join('');
  return `foretoken ${name}${words}${options.length > 0 ? ' [options]' : ''}`;
}

/** Help of one command: examples first, since they are what people look for. */
export function commandHelp(command: CommandDefinition, columns: number = Number.POSITIVE_INFINITY): string {
  const width = columns - 2;
  const { options, sections = [] } = command;
  const own = [...new Set(options.flatMap((option) => option.section ?? []))];
  return [
    paragraph(command.description, columns),
    section('Examples', examples(command.examples, width)),
    section('Usage', wrap(usageLine(command), width, '  ')),
    ...sections.map(({ title, rows }) => section(title, definitions(rows, width))),
    section(
      'Options',
      optionRows([...options.filter((option) => option.section === undefined), ...GLOBAL_OPTIONS], width),
    ),
    ...own.map((title) =>
      section(
        title,
        optionRows(
          options.filter((option) => option.section === title),
          width,
        ),
      ),
    ),
  ].join('\n');
}

export function programHelp(
  commands: readonly CommandDefinition[],
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const width = columns - 2;
  const first = commands.flatMap((command) => command.examples.slice(0, 1));
  return [
    paragraph(
      'Correct and translate text with small models: autoregressive, one-shot, and speculative decoding.',
      columns,
    ),
    section('Examples', examples(first, width)),
    section(
      'Commands',
      definitions(
        commands.map((command) => [usageLine(command), command.description]),
        width,
      ),
    ),
    section('Options', optionRows(GLOBAL_OPTIONS, width)),
    `${paragraph('Run foretoken COMMAND --help for the options of a command.', columns)}${paragraph(
      'Exit codes: 0 done, 1 failure, 2 bad usage, input or model folder, 130 interrupted.',
      columns,
    )}`,
  ].join('\n');
}

function paragraph(text: string, columns: number): string {
  return `${wrap(text, columns).join('\n')}\n`;
}

/** Wrapped as a shell goes on in the next line, so that they can still be pasted: never within quotes, where blanks count. */
function examples(lines: readonly string[], width: number): string[] {
  return lines.flatMap((line) => {
    const parts = wrapWords(line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [], width - 2, '  ');
    return parts.map((part, index) => (index < parts.length - 1 ? `${part} \\` : part));
  });
}
