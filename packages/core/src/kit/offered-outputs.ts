import { ForetokenError } from '../contract/errors.js';
import type { AutoregressiveSupport, NewNodes, OutputRequest } from '../contract/token-tree.js';
import { wrongValue } from './checks.js';
import { nameHint } from './option-names.js';
import { flag } from './options.js';
import { show } from './show.js';
import { isTypedArray, readingOf } from './typed-arrays.js';

/** Refuses outputs that a model does not offer, before anything is computed. Throws `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT`. */
export function assertOffered(
  { outputs, states, maxCandidates }: Pick<AutoregressiveSupport, 'outputs' | 'states' | 'maxCandidates'>,
  output: OutputRequest,
): void {
  readingOf('output', output, OUTPUT, () => assertOutput({ outputs, states, maxCandidates }, output));
}

const OUTPUT = "an output request, such as { kind: 'argmax' }";

function assertOutput(
  { outputs, states = [], maxCandidates }: Pick<AutoregressiveSupport, 'outputs' | 'states' | 'maxCandidates'>,
  output: OutputRequest,
): void {
  if (typeof output !== 'object' || output === null) throw wrongValue('output', output, OUTPUT);
  const offered = output.states === true ? states : outputs;
  if (!offered.includes(output.kind)) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `This model does not offer the ${output.kind} output${output.states === true ? ' with states' : ''}; ` +
        `it offers: ${offered.join(', ') || 'none'}.`,
      { capability: output.kind, offered },
    );
  }
  assertFields(output);
  if (output.kind !== 'topK') return;
  const { k } = output;
  if (Number.isInteger(k) && k >= 1 && k <= maxCandidates) return;
  const required = `k must be an integer from 1 to ${maxCandidates}`;
  throw new ForetokenError('INVALID_ARGUMENT', `${required}, but was ${show(k)}.`, {
    option: 'k',
    received: k,
    min: 1,
    max: maxCandidates,
  });
}

const FIELDS: readonly string[] = ['kind', 'k', 'states'];
const KINDS_WITH_K: ReadonlySet<string> = new Set(['topK']);

/** Looks through an output in place, since it is asked for at every forward. */
function assertFields(output: OutputRequest): void {
  for (const name in output) {
    if (name === 'k' ? KINDS_WITH_K.has(output.kind) : FIELDS.includes(name)) continue;
    throw unknownField(
      `The ${String(output.kind)} output`,
      name,
      KINDS_WITH_K.has(output.kind) ? FIELDS : ['kind', 'states'],
    );
  }
  if (output.states !== undefined) flag('states', output.states);
}

const ARRAYS: readonly string[] = ['row', 'parent', 'tokenId', 'scored'];

/**
 * Checks the form of new nodes, before the forest looks what they say: arrays of one length, and no others. Returns them with each
 * array read once, which is a view made anew where the nodes are a `NodeBatch`. Throws `INVALID_ARGUMENT`.
 */
export function assertNewNodes(nodes: NewNodes): NewNodes {
  return readingOf('nodes', nodes, NODES, () => arraysOf(nodes));
}

const NODES = 'new nodes, such as a NodeBatch holds';

function arraysOf(nodes: NewNodes): NewNodes {
  if (typeof nodes !== 'object' || nodes === null) {
    throw wrongValue('nodes', nodes, NODES);
  }
  // The arrays of a NodeBatch are no fields of its own.
  for (const name in nodes) if (!ARRAYS.includes(name)) throw unknownField('extend', name, ARRAYS);
  const { row, parent, tokenId, scored } = nodes;
  const { length } = typedArray('tokenId', tokenId);
  assertEntries('row', row, length);
  assertEntries('parent', parent, length);
  if (scored !== undefined) assertEntries('scored', scored, length);
  return { row, parent, tokenId, scored };
}

function assertEntries(name: string, array: Int32Array | Uint8Array, length: number): void {
  if (typedArray(name, array).length === length) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${name} must have one entry a node, ${length} as tokenId, but has ${array.length}.`,
    { option: name, received: array.length, required: length },
  );
}

function typedArray(name: string, array: unknown): Int32Array | Uint8Array {
  const type = name === 'scored' ? 'Uint8Array' : 'Int32Array';
  if (isTypedArray(type, array)) return array;
  throw wrongValue(name, array, `${type === 'Int32Array' ? 'an' : 'a'} ${type}`);
}

function unknownField(owner: string, name: string, known: readonly string[]): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    `${owner} takes no ${name}.${nameHint(name, known)} It takes: ${known.join(', ')}.`,
    { option: name, required: known },
  );
}
