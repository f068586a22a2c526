import type { LanguageModelV3CallOptions } from '@ai-sdk/provider';
import {
  fieldsOf,
  flag,
  integer,
  listOf,
  type OptionReader,
  type OptionTable,
  oneOf,
  readFields,
  signal as readSignal,
  text as readText,
  show,
  wrongValue,
} from '@foretoken/core/kit';
import { readPrompt } from './read-prompt.js';

type Options = LanguageModelV3CallOptions;
type Value<Name extends keyof Options> = Exclude<Options[Name], undefined>;

/** The options of a call, checked, and the names of those that nobody knows. */
export interface ReadCall {
  readonly options: Options;
  readonly unknown: readonly string[];
}

const finite: OptionReader<number> = (name, value) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrongValue(name, value, 'a finite number');
};

const stop: OptionReader<string> = (name, value) => {
  if (typeof value === 'string' && value !== '') return value;
  throw wrongValue(name, value, 'a string that is not empty');
};

/** A signal that can be tied to others. */
const abortSignal: OptionReader<AbortSignal> = (name, value) => {
  const given = readSignal(name, value);
  try {
    return AbortSignal.any([given]);
  } catch {
    throw wrongValue(name, value, 'an AbortSignal of this runtime');
  }
};

/** A plain object, whose fields are read and copied. */
function entries<Entry>(read: OptionReader<Entry>): OptionReader<Record<string, Entry>> {
  return (name, value) => {
    const copy: Record<string, Entry> = {};
    for (const [key, entry] of fieldsOf(name, value)) {
      if (typeof key === 'symbol') throw wrongValue(`A name in ${name}`, key, 'a string');
      // Names are foreign, and one of them is special.
      Object.defineProperty(copy, key, {
        value: read(`${name}[${show(key)}]`, entry),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return copy;
  };
}

/** A plain object that says its type; whatever else it has changes nothing here, and is handed on. */
function typed<Read extends { readonly type: string }>(...types: readonly Read['type'][]): OptionReader<Read> {
  return (name, value) => {
    const fields = fieldsOf(name, value);
    oneOf(...types)(`${name}.type`, fields.get('type'));
    return Object.fromEntries([...fields].filter(([key]) => key !== '__proto__')) as unknown as Read;
  };
}

const header: OptionReader<string | undefined> = (name, value) => (value === undefined ? value : readText(name, value));
const ofProvider: OptionReader<Value<'providerOptions'>[string]> = (name, value) => {
  fieldsOf(name, value);
  return value as Value<'providerOptions'>[string];
};

const TABLE: OptionTable<Options> = {
  prompt: (_, value) => readPrompt(value),
  maxOutputTokens: integer(1),
  temperature: finite,
  topP: finite,
  topK: finite,
  presencePenalty: finite,
  frequencyPenalty: finite,
  stopSequences: (name, value) => [...listOf(stop)(name, value)],
  responseFormat: typed<Value<'responseFormat'>>('text', 'json'),
  seed: integer(0, 0xffffffff),
  tools: (name, value) => [...listOf(typed<Value<'tools'>[number]>('function', 'provider'))(name, value)],
  toolChoice: typed<Value<'toolChoice'>>('auto', 'none', 'required', 'tool'),
  includeRawChunks: flag,
  abortSignal,
  headers: entries(header),
  providerOptions: entries(ofProvider),
};

/**
 * Reads what a model is called with, each field once, before any compute.
 *
 * Throws `INVALID_ARGUMENT`, and the SDK's `InvalidPromptError` for a prompt that is none.
 */
export function readCall(owner: string, given: unknown): ReadCall {
  const fields = fieldsOf(owner, given, 'the options of a call');
  const unknown: string[] = [];
  const known = new Map<string, unknown>([['prompt', undefined]]);
  for (const [name, value] of fields) {
    if (typeof name === 'string' && Object.hasOwn(TABLE, name)) known.set(name, value);
    else if (value !== undefined) unknown.push(String(name));
  }
  // Also where there is none, which is an error of the SDK's.
  const prompt = readPrompt(known.get('prompt'));
  known.delete('prompt');
  return { options: { ...readFields<Options>(owner, known, TABLE), prompt }, unknown };
}
