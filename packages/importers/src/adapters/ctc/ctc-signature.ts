import {
  type CtcManifest,
  type GraphTensor,
  type GraphValue,
  quote,
  unsupportedModel,
} from '@foretoken/models/internal';
import { type ExportedGraph, graphTensor } from '../read-export.js';
import type { CtcImportOptions } from './ctc-options.js';

/** What the inputs and outputs of a CTC graph are for. */
export interface CtcSignature {
  readonly inputs: CtcManifest['inputs'];
  readonly outputs: CtcManifest['outputs'];
  /** Of a source; the null is time. */
  readonly dims: readonly (number | null)[];
}

const show = ({ type, dims }: GraphValue): string => `${type} [${dims.map((size) => size ?? 'any').join(', ')}]`;

/** Reads the roles of inputs and outputs from the graph. Throws `UNSUPPORTED_MODEL` where one has none or is not clear. */
export function readCtcSignature(graph: ExportedGraph, told: CtcImportOptions): CtcSignature {
  const { folder, file, description } = graph;
  const refuse = (why: string, field: string, received: unknown): never => {
    throw unsupportedModel(`${file} in ${folder}: ${why}`, { folder, file, field, received });
  };
  let values: GraphTensor | undefined;
  let lengths: GraphTensor | undefined;
  let mask: GraphTensor | undefined;
  for (const [name, value] of description.inputs) {
    const rank = value.dims.length;
    const tensor = graphTensor(graph, name, value);
    if (rank === 2 && /mask/i.test(name) && mask === undefined) mask = tensor;
    else if (rank === 1 && value.type !== 'float32' && lengths === undefined) lengths = tensor;
    else if (value.type === 'float32' && rank >= 2 && rank <= 5 && values === undefined) values = tensor;
    else
      refuse(
        `it is not clear what the input ${quote(name)}, ${show(value)}, is for. A CTC graph reads one input of numbers, and lengths or a mask.`,
        name,
        show(value),
      );
  }
  if (values === undefined)
    return refuse('it has no input of float32 numbers. A CTC graph reads samples, an image or features.', 'inputs', [
      ...description.inputs.keys(),
    ]);
  const scored = [...description.outputs].filter(([name, value]) =>
    told.output === undefined ? value.type === 'float32' && value.dims.length === 3 : name === told.output,
  );
  const [[output, score] = []] = scored;
  if (output === undefined || score === undefined || scored.length > 1) {
    const required =
      told.output === undefined
        ? 'one output of float32 scores with three dimensions'
        : `an output ${quote(told.output)}`;
    return refuse(
      `it must have ${required}, but has ${[...description.outputs].map(([name, value]) => `${name} ${show(value)}`).join(', ')}. Tell which output holds the scores.`,
      'outputs',
      [...description.outputs.keys()],
    );
  }
  const counts = [...description.outputs].filter(
    ([, { type, dims }]) => /^int(?:32|64)$/.test(type) && dims.length === 1,
  );
  const [[count, counted] = []] = counts;
  const lengthsOut =
    count === undefined || counted === undefined || counts.length > 1 ? undefined : graphTensor(graph, count, counted);
  const outputs = { scores: graphTensor(graph, output, score), lengths: lengthsOut };
  const dims = told.dims ?? values.dims.slice(1);
  const own = values.dims.slice(1);
  const fits = dims.length === own.length && own.every((size, axis) => size === null || size === dims[axis]);
  if (!fits || dims.filter((size) => size === null).length !== 1) {
    refuse(
      `${values.name} is ${show(values)}, so the dimensions of a source are not clear. Tell them with the null for time, such as dims: [3, 48, null].`,
      values.name,
      dims,
    );
  }
  const inputs = { values, lengths, mask };
  return { inputs, outputs, dims };
}
