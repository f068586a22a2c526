import { invalidFolder, unsupportedModel } from '../../folder/refusal.js';
import type { GraphValue } from '../../onnx/graph-description.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';

/** Keys or values of a layer: the input that takes those of the past, the output that gives them grown. */
export interface CacheRole {
  readonly input: string;
  /** Absent where the graph gives none: what it takes of sources stays as it is. */
  readonly output: string | undefined;
  /** Those of the source, which all tokens read. */
  readonly cross: boolean;
  readonly heads: number | undefined;
  readonly size: number | undefined;
}

/** What of a decoder each input is, by its name; an input that the graph does not have is undefined. */
export interface DecoderRoles {
  readonly file: string;
  readonly tokenIds: string;
  readonly states?: string | undefined;
  readonly sourceMask?: string | undefined;
  /** Of the output's tokens, past and new. */
  readonly mask?: string | undefined;
  readonly positions?: string | undefined;
  readonly cachePositions?: string | undefined;
  /** Whether to go on with the cache, in a graph that does both. */
  readonly goesOn?: string | undefined;
  /** How many of the last tokens to score. */
  readonly keptLogits?: string | undefined;
  readonly logits: string;
  readonly caches: readonly CacheRole[];
}

export interface EncoderRoles {
  readonly file: string;
  /** Token ids, samples of sound, or spectra of it. */
  readonly input: string;
  readonly reads: 'tokens' | 'samples' | 'spectra';
  readonly mask?: string | undefined;
  readonly states: string;
}

type Field = Exclude<keyof DecoderRoles, 'caches' | 'logits' | 'file'>;

/** Inputs by their names: what exporters call them. */
const DECODER_INPUTS: Readonly<Record<string, Field>> = {
  input_ids: 'tokenIds',
  decoder_input_ids: 'tokenIds',
  encoder_hidden_states: 'states',
  encoder_attention_mask: 'sourceMask',
  attention_mask: 'mask',
  decoder_attention_mask: 'mask',
  position_ids: 'positions',
  cache_position: 'cachePositions',
  use_cache_branch: 'goesOn',
  num_logits_to_keep: 'keptLogits',
};

/** Element types and ranks that can be fed. */
const SHAPES: Readonly<Record<Field, readonly [types: readonly string[], rank: number]>> = {
  tokenIds: [['int64', 'int32'], 2],
  states: [['float32', 'float16'], 3],
  sourceMask: [['int64', 'int32', 'float32'], 2],
  mask: [['int64', 'int32', 'float32'], 2],
  positions: [['int64', 'int32'], 2],
  cachePositions: [['int64', 'int32'], 1],
  goesOn: [['bool'], 1],
  keptLogits: [['int64'], 0],
};

const FLOATS = ['float32', 'float16'];

/** What encoders call spectra, all of one length, so that no mask says where one ends. */
const SPECTRA = 'input_features';
/** What encoders read, by their names of it. */
const ENCODER_INPUTS: Readonly<
  Record<string, readonly [reads: EncoderRoles['reads'], types: readonly string[], rank: number]>
> = {
  input_ids: ['tokens', ['int64', 'int32'], 2],
  input_values: ['samples', ['float32'], 2],
  [SPECTRA]: ['spectra', FLOATS, 3],
};

/** Reads what each input and output of an encoder is. Throws `UNSUPPORTED_MODEL`. */
export function encoderRoles({ file, inputs, outputs }: ExportGraph): EncoderRoles {
  const { attention_mask: mask, ...read } = inputs;
  const names = Object.keys(read);
  const input = names.find((name) => Object.hasOwn(ENCODER_INPUTS, name));
  const other = names.find((name) => name !== input) ?? (mask && input === SPECTRA ? 'attention_mask' : undefined);
  if (other !== undefined) {
    throw unsupported(
      file,
      'input',
      other,
      inputs[other],
      'one of token ids as input_ids and samples of sound as input_values, and attention_mask; or spectra as input_features alone',
    );
  }
  if (input === undefined) {
    const or = 'token ids, and neither input_values for samples of sound nor input_features for spectra';
    throw unsupported(file, 'input', 'input_ids', undefined, or);
  }
  const [reads, types, rank] = ENCODER_INPUTS[input];
  assertShape(file, input, inputs[input], types, rank);
  if (mask !== undefined) assertShape(file, 'attention_mask', mask, ['int64', 'int32', 'float32'], 2);
  const states = Object.hasOwn(outputs, 'last_hidden_state') ? 'last_hidden_state' : Object.keys(outputs)[0];
  const given = states === undefined ? undefined : outputs[states];
  if (states === undefined || given === undefined)
    throw unsupported(file, 'output', 'last_hidden_state', undefined, 'states');
  assertShape(file, states, given, FLOATS, 3, 'output');
  return { file, input, reads, mask: mask && 'attention_mask', states };
}

/** Reads what each input and output of a decoder is. Throws `UNSUPPORTED_MODEL`. */
export function decoderRoles({ file, inputs, outputs: given, names = {} }: ExportGraph): DecoderRoles {
  const fields: Partial<Record<Field, string>> = {};
  const caches: CacheRole[] = [];
  const usual = (name: string): string => (Object.hasOwn(names, name) ? names[name] : name);
  const readsTokens = Object.keys(inputs).some((name) => DECODER_INPUTS[usual(name)] === 'tokenIds');
  const outputs = new Map(Object.keys(given).map((name) => [usual(name), name]));
  for (const [name, value] of Object.entries(inputs)) {
    const known = usual(name);
    const field = Object.hasOwn(DECODER_INPUTS, known) ? DECODER_INPUTS[known] : undefined;
    if (field !== undefined) {
      const [types, rank] = SHAPES[field];
      assertShape(file, name, value, types, rank);
      fields[field] = name;
    } else if (known.startsWith('past'))
      caches.push(cacheRole(file, name, value, outputs.get(presentOf(known)), known));
    else {
      const required = `one of ${Object.keys(DECODER_INPUTS).join(', ')}, or past_*`;
      const isOther = FLOATS.includes(value.type) && !readsTokens;
      throw unsupported(file, 'input', name, value, required, isOther ? withLabels(file) : undefined);
    }
  }
  const { tokenIds } = fields;
  if (tokenIds === undefined) throw unsupported(file, 'input', 'input_ids', undefined, 'token ids');
  const logits = outputs.get('logits');
  if (logits === undefined) throw unsupported(file, 'output', 'logits', undefined, 'scores');
  assertShape(file, logits, given[logits], FLOATS, 3, 'output');
  return { file, ...fields, tokenIds, logits, caches };
}

/** The roles of a graph that goes on with a cache, and of that which begins, where it is another. Throws `UNSUPPORTED_MODEL`. */
export function stepRoles({ graphs: { encoder, decoder, decoderWithPast } }: Pick<OnnxExportManifest, 'graphs'>): {
  readonly begin: DecoderRoles;
  readonly goOn: DecoderRoles;
} {
  const begin = decoderRoles(decoder);
  const goOn = decoderWithPast === undefined ? begin : decoderRoles(decoderWithPast);
  if (!goOn.caches.some(({ cross }) => !cross)) {
    throw unsupported(
      goOn.file,
      'input',
      'past_key_values.0.key',
      undefined,
      'a cache',
      'Export the model with a cache, for example with the task text2text-generation-with-past or text-generation-with-past.',
    );
  }
  const ofSources = begin.states ?? goOn.states ?? goOn.caches.find(({ cross }) => cross)?.input;
  if (encoder === undefined && ofSources !== undefined) {
    throw invalidFolder(
      `${goOn.file} reads sources by its input ${ofSources}, but there is no encoder in its precision beside it. Fetch encoder_model.onnx of the same model, or choose another precision.`,
      { file: goOn.file, field: `input ${ofSources}`, received: 'no encoder', required: 'encoder_model.onnx' },
    );
  }
  if (encoder !== undefined) {
    const given = [encoder, 'output', encoderRoles(encoder).states] as const;
    for (const roles of [begin, goOn]) {
      const graph = roles === begin ? decoder : (decoderWithPast ?? decoder);
      if (roles.states !== undefined) assertSame(given, [graph, 'input', roles.states], [2]);
    }
  }
  for (const { input, output, cross } of goOn.caches) {
    const first = presentOf(input);
    if (output === undefined && !cross)
      throw unsupported(goOn.file, 'output', first, undefined, `what ${input} has become`);
    if (begin !== goOn && !Object.hasOwn(decoder.outputs, first)) {
      throw unsupported(begin.file, 'output', first, undefined, `what ${goOn.file} takes as ${input}`);
    }
    if (decoderWithPast !== undefined)
      assertSame([decoder, 'output', first], [decoderWithPast, 'input', input], [1, 3]);
  }
  return { begin, goOn };
}

type Side = readonly [graph: ExportGraph, side: 'input' | 'output', name: string];

/** Refuses a graph that takes other sizes, on some axes, than the graph before it gives. Throws `INVALID_MODEL_FOLDER`. */
function assertSame(given: Side, taken: Side, axes: readonly number[]): void {
  const [from, to] = [given, taken].map(([graph, side, name]) => graph[`${side}s`][name]);
  const sizes = axes.map((axis) => [from.dims[axis], to.dims[axis]]);
  if (sizes.every(([size, other]) => size === null || other === null || size === other)) return;
  const [received, required] = [show(to), show(from)];
  throw invalidFolder(
    `${taken[0].file} takes ${taken[2]} as ${received}, but ${given[0].file} gives ${given[2]} as ${required}: they are of different models. Fetch graphs of one model.`,
    { file: taken[0].file, field: `input ${taken[2]}`, received, required },
  );
}

/** What exporters call the output that an input of the cache comes from. */
export function presentOf(input: string): string {
  return input.replace(/^past(_key_values)?/, 'present');
}

function cacheRole(
  file: string,
  input: string,
  value: GraphValue,
  output: string | undefined,
  known: string,
): CacheRole {
  assertShape(file, input, value, FLOATS, 4);
  const [, heads, , size] = value.dims;
  const cross = output === undefined || /encoder|cross/.test(known);
  return { input, output, cross, heads: heads ?? undefined, size: size ?? undefined };
}

function assertShape(
  file: string,
  name: string,
  value: GraphValue,
  types: readonly string[],
  rank: number,
  kind: 'input' | 'output' = 'input',
): void {
  if (types.includes(value.type) && value.dims.length === rank) return;
  throw unsupported(file, kind, name, value, `${types.join(' or ')} of ${rank} dimensions`);
}

function unsupported(
  file: string,
  kind: string,
  name: string,
  value: GraphValue | undefined,
  required: string,
  remedy = 'Import the weights instead, or export the model in another way.',
): Error {
  const why =
    value === undefined
      ? `it has no ${kind} ${name} for ${required}`
      : `its ${kind} ${name} is ${show(value)}, but ${required} is required`;
  const received = value === undefined ? 'nothing' : show(value);
  return unsupportedModel(`${file} cannot be driven as it is: ${why}. ${remedy}`, {
    file,
    field: `${kind} ${name}`,
    received,
    required,
  });
}

const withLabels = (file: string): string =>
  `If it is a CTC model, import this graph with its labels: foretoken import ${file} --dictionary vocab.json --out my-model.`;

function show(value: GraphValue): string {
  return `${value.type} [${value.dims.map((size) => size ?? 'any').join(', ')}]`;
}
