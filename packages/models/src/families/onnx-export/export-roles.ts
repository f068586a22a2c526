import type { GraphValue } from '../../onnx/graph-description.js';
import type { ExportGraph } from './export-manifest.js';
import { unsupported } from './refuse-roles.js';

/** Keys or values of a layer: the input that takes those of the past, the output that gives them grown. */
export interface CacheRole {
  readonly input: string;
  /** Absent where the graph gives none: what it takes of sources stays as it is. */
  readonly output: string | undefined;
  /** What exporters usually call that output. */
  readonly present: string;
  /** The output of the encoder that it is, where no decoder gives it. */
  readonly encoded?: string | undefined;
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
  /** Keys and values of decoders that it gives, by what exporters usually call them. */
  readonly caches: ReadonlyMap<string, string>;
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
export function encoderRoles({ file, inputs, outputs: given, names }: ExportGraph): EncoderRoles {
  const read = byUsualNames(inputs, names);
  const outputs = byUsualNames(given, names);
  const known = [...read.keys()].find((name) => Object.hasOwn(ENCODER_INPUTS, name)) ?? '';
  const input = read.get(known);
  const mask = read.get('attention_mask');
  const others = Object.keys(inputs).filter((name) => name !== input && name !== mask);
  const other = others[0] ?? (known === SPECTRA ? mask : undefined);
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
  const [reads, types, rank] = ENCODER_INPUTS[known];
  assertShape(file, input, inputs[input], types, rank);
  if (mask !== undefined) assertShape(file, mask, inputs[mask], ['int64', 'int32', 'float32'], 2);
  const states = outputs.get('last_hidden_state') ?? Object.keys(given)[0];
  if (states === undefined) throw unsupported(file, 'output', 'last_hidden_state', undefined, 'states');
  assertShape(file, states, given[states], FLOATS, 3, 'output');
  const caches = new Map([...outputs].filter(([name]) => name.startsWith('present')));
  return { file, input, reads, mask, states, caches };
}

function usualName(name: string, names: ExportGraph['names'] = {}): string {
  return Object.hasOwn(names, name) ? names[name] : name;
}

/** Names of inputs or outputs, by what exporters usually call them. */
function byUsualNames(values: ExportGraph['inputs'], names: ExportGraph['names']): Map<string, string> {
  return new Map(Object.keys(values).map((name) => [usualName(name, names), name]));
}

/** Reads what each input and output of a decoder is. Throws `UNSUPPORTED_MODEL`. */
export function decoderRoles({ file, inputs, outputs: given, names }: ExportGraph): DecoderRoles {
  const fields: Partial<Record<Field, string>> = {};
  const caches: CacheRole[] = [];
  const readsTokens = [...byUsualNames(inputs, names).keys()].some((name) => DECODER_INPUTS[name] === 'tokenIds');
  const outputs = byUsualNames(given, names);
  for (const [name, value] of Object.entries(inputs)) {
    const known = usualName(name, names);
    const field = Object.hasOwn(DECODER_INPUTS, known) ? DECODER_INPUTS[known] : undefined;
    if (field !== undefined) {
      const [types, rank] = SHAPES[field];
      assertShape(file, name, value, types, rank);
      fields[field] = name;
    } else if (known.startsWith('past')) caches.push(cacheRole(file, name, value, outputs, known));
    else {
      const required = `one of ${Object.keys(DECODER_INPUTS).join(', ')}, or past_*`;
      const isOther = FLOATS.includes(value.type) && !readsTokens;
      const remedy = isOther ? withLabels(file) : OF_DEVICES.has(known) ? FOR_CPU : undefined;
      throw unsupported(file, 'input', name, value, required, remedy);
    }
  }
  const { tokenIds } = fields;
  if (tokenIds === undefined) throw unsupported(file, 'input', 'input_ids', undefined, 'token ids');
  const logits = outputs.get('logits');
  if (logits === undefined) throw unsupported(file, 'output', 'logits', undefined, 'scores');
  assertShape(file, logits, given[logits], FLOATS, 3, 'output');
  return { file, ...fields, tokenIds, logits, caches };
}

/** What exporters call the output that an input of the cache comes from. */
function presentOf(input: string): string {
  return input.replace(/^past(_key_values)?/, 'present');
}

function cacheRole(
  file: string,
  input: string,
  value: GraphValue,
  outputs: ReadonlyMap<string, string>,
  known: string,
): CacheRole {
  assertShape(file, input, value, FLOATS, 4);
  const [, heads, , size] = value.dims;
  const present = presentOf(known);
  const output = outputs.get(present);
  const cross = output === undefined || /encoder|cross/.test(known);
  return { input, output, present, cross, heads: heads ?? undefined, size: size ?? undefined };
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

/** Inputs of decoders that were built for devices, by onnxruntime-genai's names. */
const OF_DEVICES: ReadonlySet<string> = new Set(['cache_indirection', 'past_sequence_length', 'beam_width']);
const FOR_CPU =
  'It was built for another device: build it for the CPU, with the model builder of onnxruntime-genai (-e cpu), or export it with Optimum.';

const withLabels = (file: string): string =>
  `If it is a CTC model, import its folder, or this graph with its labels: foretoken import ${file} --dictionary vocab.json --out my-model.`;
