import { type Arguments, parseArguments, unknownCommand } from './arguments.js';
import type { CommandContext, CommandDefinition } from './command.js';
import { adviseCommand } from './commands/advise.js';
import { correctCommand } from './commands/correct.js';
import { decodeCommand } from './commands/decode.js';
import { doctorCommand } from './commands/doctor.js';
import { importCommand } from './commands/import.js';
import { inspectCommand } from './commands/inspect.js';
import { raceCommand } from './commands/race.js';
import { transcribeCommand } from './commands/transcribe.js';
import { completionScript, SHELLS } from './completion.js';
import { EXIT, errorRecord, exitCodeOf, usageError } from './errors.js';
import { commandHelp, programHelp } from './help.js';
import { type Io, toJson, write } from './io.js';
import { services as packages, type Services } from './services.js';
import { problemLine, safeText, styleFor } from './terminal/style.js';
import { columnsOf } from './terminal/wrap.js';

export const COMMANDS: readonly CommandDefinition[] = [
  raceCommand,
  correctCommand,
  decodeCommand,
  transcribeCommand,
  inspectCommand,
  importCommand,
  adviseCommand,
  doctorCommand,
  {
    name: 'help',
    positionals: [],
    optionals: ['command'],
    description: 'Show this help, or that of a command',
    examples: ['foretoken help decode'],
    options: [],
    words: () => COMMANDS.map(({ name }) => name),
    run: showHelp,
  },
  {
    name: 'completion',
    positionals: ['shell'],
    description: `Print a script that completes commands and flags: ${SHELLS.join(', ')}`,
    examples: ['eval "$(foretoken completion bash)"', 'foretoken completion fish | source'],
    options: [],
    words: () => SHELLS,
    run: async ({ positionals, io }) => {
      const shell = SHELLS.find((name) => name === positionals[0]);
      if (shell === undefined) {
        throw usageError(`foretoken completion knows ${SHELLS.join(', ')}, but not ${positionals[0]}.`, {
          received: positionals[0],
          required: SHELLS,
        });
      }
      await write(io.stdout, completionScript(shell, COMMANDS));
      return EXIT.ok;
    },
  },
];

/** Runs one command line, arguments only, and returns the exit code. Throws nothing and never exits the process. */
export async function run(argv: readonly string[], io: Io, services: Services = packages): Promise<number> {
  try {
    return await dispatch(parseArguments(argv, COMMANDS), io, services);
  } catch (error) {
    if (io.signal.aborted) {
      // The terminal has echoed ^C; the prompt belongs on the next line.
      if (io.stderr.isTTY === true) await write(io.stderr, '\n');
      return EXIT.interrupted;
    }
    return report(error, argv, io);
  }
}

async function showHelp({ positionals, io, columns }: CommandContext): Promise<number> {
  const [name] = positionals;
  const command = COMMANDS.find((one) => one.name === name);
  if (name !== undefined && command === undefined) throw unknownCommand(name, COMMANDS);
  await write(io.stdout, command === undefined ? programHelp(COMMANDS, columns) : commandHelp(command, columns));
  return EXIT.ok;
}

async function dispatch({ command, positionals, options }: Arguments, io: Io, services: Services): Promise<number> {
  const columns = columnsOf(io.stdout, io.env);
  if (options.flag('help')) {
    await write(io.stdout, command === undefined ? programHelp(COMMANDS, columns) : commandHelp(command, columns));
    return EXIT.ok;
  }
  if (options.flag('version')) {
    await write(io.stdout, `foretoken ${services.version()}\n`);
    return EXIT.ok;
  }
  if (command === undefined) {
    await write(io.stderr, programHelp(COMMANDS, columnsOf(io.stderr, io.env)));
    return EXIT.usage;
  }
  const quiet = options.flag('quiet');
  const noColor = options.flag('no-color');
  const context: CommandContext = {
    positionals,
    options,
    io,
    services,
    columns,
    style: {
      stderr: styleFor(io.stderr, io.env, { noColor }),
      stdout: styleFor(io.stdout, io.env, { noColor }),
    },
    note: async (text) => {
      if (!quiet) await write(io.stderr, `${text}\n`);
    },
  };
  const code = await command.run(context);
  io.signal.throwIfAborted();
  return code;
}

/** The message goes to standard error; `--json` and `--jsonl` also get it where they read. */
async function report(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  const record = errorRecord(error);
  const style = styleFor(io.stderr, io.env, { noColor: argv.includes('--no-color') });
  if (argv.includes('--jsonl')) await write(io.stdout, `${toJson({ version: 1, type: 'error', error: record })}\n`);
  else if (argv.includes('--json')) await write(io.stdout, `${toJson({ error: record })}\n`);
  const trace = record.code === 'UNEXPECTED' && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  const safeTrace = trace.split('\n').map(safeText).join('\n');
  await write(io.stderr, `${problemLine(style, record.code, record.message)}${safeTrace}`);
  return exitCodeOf(error);
}
