import type { Io } from './io.js';
import type { Options } from './options.js';
import { PRECISIONS } from './precisions.js';
import type { Services } from './services.js';
import { DRAFTERS } from './strategy-names.js';
import type { Style } from './terminal/style.js';

export interface OptionDefinition {
  /** As cac writes it: `--limit <n>` takes a value, `--json` does not. */
  readonly flag: string;
  readonly description: string;
  /** All that its value may be, where that is known; shells complete them. */
  readonly values?: readonly string[] | undefined;
  /** Heading of the help that it is listed under (default: Options). */
  readonly section?: string | undefined;
}

/** A part of a command's help that is not about options. */
export interface HelpSection {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

export interface CommandContext {
  readonly positionals: readonly string[];
  readonly options: Options;
  readonly io: Io;
  readonly services: Services;
  /** How to mark text on standard error and on standard output. */
  readonly style: { readonly stderr: Style; readonly stdout: Style };
  /** Writes a line to standard error, unless `--quiet`. */
  note(text: string): Promise<void>;
  /** Columns of standard output; no limit for files and pipes. */
  readonly columns: number;
}

export interface CommandDefinition {
  readonly name: string;
  /** Names of the required positional arguments. */
  readonly positionals: readonly string[];
  /** Names of those that may follow; one that ends with `...` stands for any number. */
  readonly optionals?: readonly string[] | undefined;
  /** What the first positional may be, where that is known. */
  readonly words?: (() => readonly string[]) | undefined;
  readonly description: string;
  readonly examples: readonly string[];
  readonly options: readonly OptionDefinition[];
  /** What the help says besides, between usage and options. */
  readonly sections?: readonly HelpSection[] | undefined;
  /** Exit code of the process. Throws `ForetokenError`. */
  run(context: CommandContext): Promise<number>;
}

/** Options that more than one command takes. */
export const OPTIONS = {
  text: { flag: '--text <sentence>', description: 'A sentence; may be given several times' },
  file: { flag: '--file <path>', description: 'Sentences, one a line; - is standard input' },
  model: { flag: '--model <folder>', description: 'Model folder (default: @foretoken/model-multi30k-en-de)' },
  threads: {
    flag: '--threads <n>',
    description: 'Threads of ONNX Runtime (default: measured when the model is loaded)',
  },
  drafter: {
    flag: '--drafter <name>',
    description: 'Drafter, for speculative: lattice (default), copy or ngram',
    values: DRAFTERS,
  },
  precision: {
    flag: '--precision <name>',
    description: 'Of an ONNX export: which of its graphs, such as q8 (default: fp32)',
    values: PRECISIONS,
  },
  asExported: {
    flag: '--as-exported',
    description: 'Of an ONNX export: its own graphs, not leaner ones built of its weights',
  },
  json: { flag: '--json', description: 'One JSON object on standard output' },
} as const satisfies Record<string, OptionDefinition>;

export const GLOBAL_OPTIONS: readonly OptionDefinition[] = [
  { flag: '--no-color', description: 'No colours (as does the variable NO_COLOR)' },
  { flag: '--quiet', description: 'Only results and errors: no progress, notes or warnings' },
  { flag: '-h, --help', description: 'Show this help' },
  { flag: '-v, --version', description: 'Show the version' },
];
