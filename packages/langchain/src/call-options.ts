import { ForetokenError } from '@foretoken/core';
import {
  checkOptions,
  integer,
  listOf,
  number,
  type OptionReader,
  type OptionTable,
  text as readText,
  signal,
  wrongValue,
} from '@foretoken/core/kit';

/** Settings of a call that a function which makes decoders may be given; `sampling` takes them all. */
export interface DecoderSettings {
  /** Scores are divided by it; 0 takes the most probable token. */
  readonly temperature?: number | undefined;
  /** The most probable tokens are kept that have this probability together, up to 1. */
  readonly topP?: number | undefined;
  /** So many of the most probable tokens are kept. */
  readonly topK?: number | undefined;
  /** Subtracted from the score of each token that occurred in the output. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted from the score of a token for each time that it occurred in the output. */
  readonly frequencyPenalty?: number | undefined;
}

/** What a call may be given beside what LangChain itself reads; `withConfig` binds it. */
export interface ForetokenCallOptions extends DecoderSettings {
  /** Most new tokens; default: what the model can hold. */
  readonly maxTokens?: number | undefined;
  /** Seed of random choices, from 0 to 4294967295; default 0. */
  readonly seed?: number | undefined;
}

/** A call's options, read. */
export interface CallOptions extends ForetokenCallOptions {
  readonly stop?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tool_choice?: unknown;
}

export const DECODER_SETTINGS: readonly (keyof DecoderSettings)[] = [
  'temperature',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
];

const anyNumber: OptionReader<number> = number(-Number.MAX_VALUE, Number.MAX_VALUE);

/** LangChain's word for a call that may call no tool, or need not. */
const noTool: OptionReader<unknown> = (name, value) => {
  if (value === 'none' || value === 'auto') return value;
  throw unsupported(name, 'The model is told of no tools and calls none');
};

const OPTIONS: OptionTable<CallOptions> = {
  maxTokens: integer(1),
  seed: integer(0, 0xffffffff),
  // The decoder checks them; which they are is known here.
  temperature: anyNumber,
  topP: anyNumber,
  topK: anyNumber,
  presencePenalty: anyNumber,
  frequencyPenalty: anyNumber,
  stop: listOf(readText),
  signal,
  tool_choice: noTool,
};

/** Whether calls take an option of this name. */
export function isCallOption(name: string): boolean {
  return Object.hasOwn(OPTIONS, name);
}

/** What LangChain reads itself, or adds for its own ends. */
const OF_LANGCHAIN: ReadonlySet<string> = new Set([
  'callbacks',
  'configurable',
  'encoding',
  'executionInfo',
  'ls_structured_output_format',
  'maxConcurrency',
  'maxRetries',
  'metadata',
  'outputVersion',
  'promptIndex',
  'recursionLimit',
  'runId',
  'runName',
  'serverInfo',
  'store',
  'tags',
  'timeout',
  'version',
]);

/** Options of frameworks around LangChain that a model of this process has no use for, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  tools: 'The model is told of no tools and calls none',
  functions: 'The model is told of no functions and calls none',
  function_call: 'The model is told of no functions and calls none',
  response_format: 'The output is text. To make it JSON, build the decoder with a constraint',
};

/**
 * Reads the options of a call. `taken` are the settings that the decoder is made with.
 *
 * Throws `UNSUPPORTED_CAPABILITY` for what changes nothing here, `INVALID_ARGUMENT` for unknown names and wrong values.
 */
export function readCallOptions(given: object, taken: readonly (keyof DecoderSettings)[]): CallOptions {
  const entries = Object.entries(given).filter(([name, value]) => value !== undefined && !OF_LANGCHAIN.has(name));
  for (const [name] of entries) {
    if (Object.hasOwn(REFUSED, name)) throw unsupported(name, REFUSED[name] ?? '');
  }
  const options = checkOptions<CallOptions>('A call of the model', Object.fromEntries(entries), OPTIONS);
  for (const name of DECODER_SETTINGS) {
    if (options[name] === undefined || taken.includes(name)) continue;
    throw unsupported(
      name,
      'The decoder has its own settings. Give a function that makes it, such as sampling, instead',
    );
  }
  for (const stop of options.stop ?? []) if (stop === '') throw wrongValue('stop', stop, 'strings that are not empty');
  return options;
}

/** The settings of a call that the decoder is made with: those that are given. */
export function decoderSettings(options: CallOptions, taken: readonly (keyof DecoderSettings)[]): DecoderSettings {
  return Object.fromEntries(
    taken.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const])),
  );
}

function unsupported(option: string, why: string): ForetokenError {
  return new ForetokenError('UNSUPPORTED_CAPABILITY', `${why}. Leave ${option} out.`, { option, capability: option });
}
