import { ForetokenError } from '@foretoken/core';
import { type GraphValue, quote, unsupportedModel } from '@foretoken/models/internal';
import type { ExportedGraph } from '../read-export.js';
import type { RecurrentStepOptions } from './step-options.js';

/** Where a step's input comes from. */
export interface Wire {
  /** The encoder's output that it is at first. */
  readonly from?: string | undefined;
  /** The step's output that it is next. */
  readonly to?: string | undefined;
}

type Values = ReadonlyMap<string, GraphValue>;
type Wires = ReadonlyMap<string, string>;
type Told = ReadonlyMap<string, NonNullable<RecurrentStepOptions['inputs']>[string]>;

/** Names that what is called `name` may have where it comes out. */
function outputNames(name: string): readonly string[] {
  const bare = name.replace(/_in$/, '');
  return [
    `${name}_out`,
    `${bare}_out`,
    `next_${bare}`,
    `${bare}_next`,
    `new_${bare}`,
    `present_${bare.replace(/^past_/, '')}`,
    bare,
    name,
  ];
}

const SIDES =
  /(?:^|_)(?:in|out|inputs?|outputs?|prev|previous|next|new|old|past|present|init|initial|last|final|enc|encoder|dec|decoder|0|n|t)(?=_|$)/g;

/** A name without what says only which side of a graph it is on: `h0`, `h_n`, `prev_h` and `encoder_h` are all `h`. */
function stemOf(name: string): string {
  const parted = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^([a-z])([0nt])$/, '$1_$2');
  return parted.replace(SIDES, '').replace(/^_+/, '');
}

function fits(value: GraphValue, other: GraphValue | undefined): boolean {
  return (
    other?.type === value.type &&
    other.dims.length === value.dims.length &&
    value.dims.every((size, axis) => size === null || other.dims[axis] === null || other.dims[axis] === size)
  );
}

/**
 * Where each input of a step, whose output `scores` is no state, comes from: as it was told, else by names, by names without what tells the side, and by dimensions where
 * there is one of them only. Throws `INVALID_ARGUMENT` where what was told is not there, and `UNSUPPORTED_MODEL` where a state would
 * begin as zeros though the encoder gives what it may begin with, or stay as it began though the step gives what it may be next.
 */
export function wireStep(
  graph: ExportedGraph,
  encoder: ExportedGraph | undefined,
  scores: string,
  inputsTold: RecurrentStepOptions['inputs'] = {},
): ReadonlyMap<string, Wire> {
  const { inputs } = graph.description;
  const outputs = new Map([...graph.description.outputs].filter(([name]) => name !== scores));
  const told: Told = new Map(Object.entries(inputsTold));
  const given: Values = encoder?.description.outputs ?? new Map();
  assertTold(graph, given, told);
  const to = new Map<string, string>();
  const from = new Map<string, string>();
  for (const [name, wire] of told) {
    if (wire.to !== undefined) to.set(name, wire.to);
    if (wire.from !== undefined && wire.from !== null) from.set(name, wire.from);
  }
  const open = [...inputs].filter(([name]) => !told.has(name));
  const sameShape = ({ type, dims }: GraphValue, other: GraphValue | undefined): boolean =>
    other?.type === type && other.dims.length === dims.length;
  for (const [name, value] of open) {
    const next = outputNames(name).find((other) => other !== name && sameShape(value, outputs.get(other)));
    const first = [name, ...outputNames(name)].find((other) => sameShape(value, given.get(other)));
    if (next !== undefined) to.set(name, next);
    if (first !== undefined) from.set(name, first);
  }
  const floats = open.filter(([, { type, dims }]) => type === 'float32' && dims.length > 1);
  for (const alike of [(one: string, other: string) => stemOf(one) === stemOf(other), () => true]) {
    const lacking = floats.filter(([name]) => !to.has(name));
    // What only the encoder gives is the same at each step.
    pair(
      lacking.filter(([name]) => !from.has(name)),
      outputs,
      to,
      alike,
    );
    pair(
      floats.filter(([name]) => !from.has(name)),
      given,
      from,
      alike,
    );
  }
  const unread = (of: Values, found: Wires, alike: (output: GraphValue) => boolean): readonly string[] => {
    const read = new Set(found.values());
    return [...of].flatMap(([name, output]) => (read.has(name) || !alike(output) ? [] : [name]));
  };
  const refuse = (name: string, why: string, names: readonly string[], wire: string): never => {
    const { folder, file } = graph;
    throw unsupportedModel(
      `${file} in ${folder}: it is not clear whether ${why} ${names.map((one) => quote(one)).join(' or ')}. Tell it as inputs: { ${quote(name)}: ${wire}.`,
      { folder, file, field: name, received: names },
    );
  };
  for (const [name, value] of floats) {
    const [first, next] = [from.get(name), to.get(name)];
    if (first === undefined && next !== undefined) {
      const names = unread(given, from, (output) => fits(value, output));
      const wire = `{ from: ${quote(names[0])}, to: ${quote(next)} } }, or from: null where it begins as zeros`;
      if (names.length > 0) refuse(name, `the state ${quote(name)} begins as what the encoder gives as`, names, wire);
    }
    if (first !== undefined && next === undefined) {
      const names = unread(outputs, to, (output) => String(output.dims) === String(value.dims));
      const wire = `{ from: ${quote(first)}, to: ${quote(names[0])} } }, without to where it stays the same`;
      if (names.length > 0) refuse(name, `the input ${quote(name)} comes out again as`, names, wire);
    }
  }
  return new Map([...inputs.keys()].map((name) => [name, { from: from.get(name), to: to.get(name) }]));
}

/** Joins inputs and outputs that are alike, where each is alike to one other only and no other input has the output. */
function pair(
  inputs: readonly (readonly [string, GraphValue])[],
  outputs: Values,
  found: Map<string, string>,
  alike: (one: string, other: string) => boolean,
): void {
  const taken = new Set(found.values());
  const free = [...outputs].filter(([name]) => !taken.has(name));
  const pairs = inputs.flatMap(([name, value]) =>
    free
      .filter(([other, output]) => fits(value, output) && alike(name, other))
      .map(([other]) => [name, other] as const),
  );
  for (const [name, other] of pairs) {
    const alone = pairs.every(([one, another]) => (one === name) === (another === other));
    if (alone) found.set(name, other);
  }
}

function assertTold(graph: ExportedGraph, given: Values, told: Told): void {
  const { inputs, outputs } = graph.description;
  const check = (what: string, name: string, among: Values): void => {
    if (among.has(name)) return;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `inputs: ${quote(name)} is no ${what}; there are ${[...among.keys()].map((one) => quote(one)).join(', ') || 'none'}.`,
      { option: 'inputs', received: name, required: [...among.keys()] },
    );
  };
  for (const [name, { from, to }] of told) {
    check(`input of ${graph.file}`, name, inputs);
    if (to !== undefined) check(`output of ${graph.file}`, to, outputs);
    if (from !== undefined && from !== null) check('output of the encoder', from, given);
  }
}
