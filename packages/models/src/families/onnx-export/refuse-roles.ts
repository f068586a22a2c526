import { unsupportedModel } from '../../folder/refusal.js';
import type { GraphValue } from '../../onnx/graph-description.js';

/** The refusal of a graph that cannot be driven for one of its inputs or outputs, or for want of one. */
export function unsupported(
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

/** A value as errors name it. */
export function show(value: GraphValue): string {
  return `${value.type} [${value.dims.map((size) => size ?? 'any').join(', ')}]`;
}
