import { type CommandDefinition, GLOBAL_OPTIONS, type OptionDefinition } from './command.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Flag {
  /** As it is typed: `--text`, `-h`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly values: readonly string[];
  readonly description: string;
}

interface Completed {
  readonly name: string;
  readonly description: string;
  /** What may stand where no flag does. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
}

/** A script that makes a shell complete commands, flags and the values that are known; elsewhere it completes files. */
export function completionScript(shell: Shell, commands: readonly CommandDefinition[]): string {
  const completed = commands.map(({ name, description, options, words }) => ({
    name,
    description,
    words: words?.() ?? [],
    flags: [...options, ...GLOBAL_OPTIONS].map(flagOf),
  }));
  return { bash, zsh, fish }[shell](completed);
}

function flagOf({ flag, description, values = [] }: OptionDefinition): Flag {
  const [names, ...value] = flag.split(' <');
  return { names: names.split(', '), takesValue: value.length > 0, values, description };
}

/** What a command may go on with: its words, then its flags. */
const wordsOf = ({ words, flags }: Completed): string => [...words, flagNames(flags)].join(' ');

const flagNames = (flags: readonly Flag[]): string => flags.flatMap(({ names }) => names).join(' ');

/** `command:--flag` patterns of a shell's `case`, what follows being the same words. */
function cases(commands: readonly Completed[], act: (words: string) => string): string[] {
  return commands.flatMap(({ name, flags }) =>
    flags
      .filter(({ values }) => values.length > 0)
      .map((flag) => `    ${flag.names.map((one) => `${name}:${one}`).join('|')}) ${act(flag.values.join(' '))} ;;`),
  );
}

function valueFlags(commands: readonly Completed[]): string {
  const all = commands.flatMap(({ flags }) =>
    flags.filter(({ takesValue }) => takesValue).flatMap(({ names }) => names),
  );
  return [...new Set(all)].join('|');
}

function bash(commands: readonly Completed[]): string {
  const reply = (words: string): string => `COMPREPLY=($(compgen -W "${words}" -- "$current"))`;
  return `# foretoken: eval "$(foretoken completion bash)"
_foretoken() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  # A flag and its value with = between them are three words to bash.
  if [ "$current" = = ]; then current=
  elif [ "$previous" = = ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    ${reply([...commands.map(({ name }) => name), flagNames(GLOBAL_OPTIONS.map(flagOf))].join(' '))}
    return
  fi
  case "$command:$previous" in
${cases(commands, (words) => `${reply(words)}; return`).join('\n')}
  esac
  case "$previous" in
    ${valueFlags(commands)}) return ;;
  esac
  case "$command" in
${commands.map((command) => `    ${command.name}) ${reply(wordsOf(command))} ;;`).join('\n')}
  esac
}
complete -o default -F _foretoken foretoken
`;
}

function zsh(commands: readonly Completed[]): string {
  return `#compdef foretoken
# foretoken: eval "$(foretoken completion zsh)", after compinit
_foretoken() {
  local previous=\${words[CURRENT-1]} command=\${words[2]}
  if (( CURRENT == 2 )); then
    compadd -- ${commands.map(({ name }) => name).join(' ')} ${flagNames(GLOBAL_OPTIONS.map(flagOf))}
    return
  fi
  case "$command:$previous" in
${cases(commands, (words) => `compadd -- ${words}; return`).join('\n')}
  esac
  case "$previous" in
    ${valueFlags(commands)}) _files; return ;;
  esac
  case "$command" in
${commands.map((command) => `    ${command.name}) compadd -- ${wordsOf(command)} ;;`).join('\n')}
  esac
  _files
}
compdef _foretoken foretoken
`;
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
  const lines = commands.flatMap(({ name, description, words, flags }) => [
    `complete -c foretoken -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ...words.map((word) => `complete -c foretoken -n '__fish_seen_subcommand_from ${name}' -f -a ${word}`),
    ...flags.map(({ names, takesValue, values, description: meaning }) => {
      const written = names.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`));
      const value = takesValue ? [values.length > 0 ? `-x -a ${quoted(values.join(' '))}` : '-r'] : [];
      const on = `-n '__fish_seen_subcommand_from ${name}'`;
      return ['complete -c foretoken', on, ...written, ...value, `-d ${quoted(meaning)}`].join(' ');
    }),
  ]);
  return `# foretoken: foretoken completion fish | source\n${lines.join('\n')}\n`;
}
