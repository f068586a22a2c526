import type { DecodeRequest, OptionalField } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { StopStrings } from '../contract/scoring.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { wrongValue } from './checks.js';
import { assertModel, type NamedRequirements } from './model-checks.js';
import {
  callback,
  entryOf,
  fields,
  fieldsOf,
  integer,
  lengthOf,
  listOf,
  type OptionReader,
  type OptionTable,
  readFields,
  text,
  tokens,
  withMethods,
} from './options.js';
import { ofRow } from './row-output.js';

const stopString: OptionReader<string> = (name, value) => {
  if (text(name, value) !== '') return value as string;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `stopStrings needs strings of at least one character each, but ${name} is empty.`,
    { option: 'stopStrings', received: value },
  );
};

/** Reads the signal of a request, or of options. */
export const signal: OptionReader<AbortSignal> = withMethods(
  'an AbortSignal, such as the signal of an AbortController',
  'throwIfAborted',
  'addEventListener',
);

/** Throws the reason of an aborted signal, and `INVALID_ARGUMENT` for what is no signal. */
export function throwIfAborted(given: AbortSignal | undefined): void {
  if (given !== undefined) signal('signal', given).throwIfAborted();
}

/** Reads sources, none of them `undefined`; what else a source may be is up to the model, which checks it. */
export const sources: OptionReader<readonly never[]> = (name, value) => {
  const length = lengthOf(value);
  if (length === undefined) throw wrongValue(name, value, 'an array with one source a row');
  return Array.from({ length }, (_, row) => {
    const source = entryOf(name, value, row);
    if (source === undefined) throw wrongValue(`sources[${row}]`, source, 'a source that the model reads');
    return source as never;
  });
};

const STOP_STRINGS: OptionTable<StopStrings> = {
  strings: listOf(stopString),
  textOf: callback<StopStrings['textOf']>(text),
};

const count = integer(1);

/** One number for all rows, or one a row. */
export const byRow =
  (read: OptionReader<number>): OptionReader<number | readonly number[]> =>
  (name, value) =>
    (lengthOf(value) === undefined ? read : listOf(read))(name, value);

const REQUEST: OptionTable<DecodeRequest<unknown>> = {
  sources,
  maxNewTokens: byRow(count),
  minNewTokens: byRow(integer(0)),
  lengths: byRow(count),
  stopSequences: listOf(tokens(1)),
  stopStrings: fields(STOP_STRINGS, ['strings', 'textOf']),
  outputPrefixes: listOf(tokens()),
  initialOutputs: listOf(tokens()),
  seed: integer(0, 0xffffffff),
  signal,
};

/**
 * Checks what all strategies share, and returns a copy of the request of which every field was read once.
 *
 * Throws `INVALID_ARGUMENT`, also for fields that a request does not have; `EMPTY_SOURCE` for no sources; before all else the
 * abort reason.
 */
export function assertRequest<Source>(request: DecodeRequest<Source>): DecodeRequest<Source> {
  const given = fieldsOf('decode', request);
  const aborting = given.get('signal');
  if (aborting !== undefined) signal('signal', aborting).throwIfAborted();
  const checked = readFields('decode', given, REQUEST) as DecodeRequest<Source>;
  const { sources } = checked;
  if (sources === undefined || sources.length === 0) {
    throw new ForetokenError('EMPTY_SOURCE', 'The request has no sources; at least one row is required.', {
      option: 'sources',
    });
  }
  for (const option of ['maxNewTokens', 'minNewTokens', 'lengths', 'outputPrefixes', 'initialOutputs'] as const) {
    const value = checked[option];
    const length = typeof value === 'object' ? value.length : sources.length;
    if (length === sources.length) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${option} must have one entry a source, ${sources.length}, but has ${length}.`,
      { option, received: length, required: sources.length },
    );
  }
  return checked;
}

/**
 * All that a strategy checks of model and request before any compute; returns the request as `assertRequest` does.
 *
 * Throws as `assertRequest` and `assertModel`, and `INVALID_ARGUMENT` for a stop sequence with a token that the model lacks.
 */
export function assertDecode<Source>(
  decoder: NamedRequirements,
  model: { readonly vocabulary: Vocabulary },
  request: DecodeRequest<Source>,
): DecodeRequest<Source> {
  const checked = assertRequest(request);
  const { requires } = decoder;
  // Lengths that are given need not be predicted.
  const told = requires?.model === 'canvas' && checked.lengths !== undefined;
  assertModel(told ? { ...decoder, requires: { ...requires, lengths: false } } : decoder, model);
  assertAccepted(decoder, checked);
  const known = integer(0, model.vocabulary.size - 1);
  for (const [index, sequence] of (checked.stopSequences ?? []).entries()) {
    for (const tokenId of sequence) known(`A token of stopSequences[${index}]`, tokenId);
  }
  return checked;
}

/** Who can use it. */
const ACCEPTING: Readonly<Record<OptionalField, string>> = {
  minNewTokens: 'greedy, sampling, beamSearch, stochasticBeam and contrastiveSearch take it.',
  outputPrefixes: 'greedy, sampling, beam search, speculation and strategies on canvases start inside an output.',
  initialOutputs: 'levenshtein and insertion start from given outputs.',
  lengths: 'strategies on canvases, such as nat, dagViterbi and dagJointViterbi take lengths.',
};

/** Throws `UNSUPPORTED_CAPABILITY` for what the decoder cannot use of a checked request; `assertDecode` does it. */
export function assertAccepted({ name, accepts = [] }: NamedRequirements, request: DecodeRequest<unknown>): void {
  for (const option of Object.keys(ACCEPTING) as OptionalField[]) {
    if (accepts.includes(option) || !isAsked(option, request)) continue;
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${name} cannot use ${option}. Leave ${option} out; ${ACCEPTING[option]}`,
      { decoder: name, capability: option, option },
    );
  }
}

/** Prefixes that are all empty, and minima that are all 0, ask for nothing. */
function isAsked(option: OptionalField, request: DecodeRequest<unknown>): boolean {
  if (option === 'outputPrefixes') return request.outputPrefixes?.some(({ length }) => length > 0) ?? false;
  if (option === 'minNewTokens') return request.sources.some((_, row) => (ofRow(request.minNewTokens, row) ?? 0) > 0);
  return request[option] !== undefined;
}
