import { integer, listOf, type OptionReader, text, wrongValue } from '@foretoken/core/kit';
import { ELEMENT_TYPE, type ElementType } from '@foretoken/models/internal';
import { ATTRIBUTE_TYPE } from './proto.js';

/** Name of a value in the graph under construction. */
export type Value = string;

/** A value of an operator's attribute: an integer, a `float`, a text, or a list of integers or of texts (`strings`). */
export type AttributeValue =
  | number
  | { readonly float: number }
  | string
  | readonly number[]
  | { readonly strings: readonly string[] };

/** An operator as the protocol buffers of ONNX have it. */
export function node(
  opType: string,
  inputs: readonly Value[],
  output: readonly Value[],
  name: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  domain = '',
): { readonly opType: string; readonly name: string; readonly attribute: readonly object[] } & Record<string, unknown> {
  return {
    opType: text('opType', opType),
    name: text('name', name),
    input: listOf(text)('inputs', inputs),
    output: [...output],
    domain: text('domain', domain),
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  };
}

/** A branch or a body, whose inputs are fp32, as an attribute; sizes of what it gives are known when it runs. */
export function graphAttribute(
  name: string,
  nodes: readonly object[],
  values: readonly Value[],
  types: readonly ElementType[],
  inputs: readonly Value[] = [],
): object {
  const typed = (value: Value, type: ElementType): object => {
    return { name: value, type: { tensorType: { elemType: ELEMENT_TYPE[type] } } };
  };
  const input = inputs.map((value) => typed(value, 'float32'));
  const output = values.map((value, index) => typed(value, types[index]));
  return { name, type: ATTRIBUTE_TYPE.graph, g: { name, node: [...nodes], input, output } };
}

/** An input or output: name, element type, dimensions; a string dimension is symbolic. */
export function valueInfo(name: string, type: ElementType, dims: readonly (number | string)[]): object {
  text('name', name);
  if (!Object.hasOwn(ELEMENT_TYPE, type)) throw wrongValue('type', type, Object.keys(ELEMENT_TYPE).join(' or '));
  const dim = listOf(dimension)('dims', dims).map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType: ELEMENT_TYPE[type], shape: { dim } } } };
}

const dimension: OptionReader<number | string> = (name, value) =>
  typeof value === 'string' ? value : integer(0)(name, value);

/** An attribute of an operator. */
function attribute(name: string, value: AttributeValue): object {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  const float: unknown = (value as { readonly float?: unknown } | null | undefined)?.float;
  if (typeof float === 'number') return { name, type: ATTRIBUTE_TYPE.float, f: float };
  const strings: unknown = (value as { readonly strings?: unknown } | null | undefined)?.strings;
  if (strings !== undefined) {
    const encoder = new TextEncoder();
    const encoded = listOf(text)(name, strings).map((one) => encoder.encode(one));
    return { name, type: ATTRIBUTE_TYPE.strings, strings: encoded };
  }
  return { name, type: ATTRIBUTE_TYPE.ints, ints: listOf(integer(Number.MIN_SAFE_INTEGER))(name, value) };
}
