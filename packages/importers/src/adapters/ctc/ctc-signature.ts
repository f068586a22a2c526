import {
  type CtcManifest,
  FLOAT_TYPES,
  type GraphTensor,
  type GraphValue,
  isFloatType,
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

type Outputs = readonly (readonly [string, GraphValue])[];

/** The outputs that may hold the scores: the one that was told, those of three dimensions, or the only one of floats, whatever it declares. */
function scoredOutputs(outputs: Outputs, told: string | undefined): Outputs {
  if (told !== undefined) return outputs.filter(([name]) => name === told);
  const floats = outputs.filter(([, { type }]) => isFloatType(type));
  const three = floats.filter(([, { dims }]) => dims.length === 3);
  return three.length === 0 && floats.length === 1 ? floats : three;
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
    const tensor = graphTensor(graph, name, value, FLOAT_TYPES);
    if (rank === 2 && /mask/i.test(name) && mask === undefined) mask = tensor;
    else if (rank === 1 && !isFloatType(value.type) && lengths === undefined) lengths = tensor;
    else if (isFloatType(value.type) && rank >= 2 && rank <= 5 && values === undefined) values = tensor;
    else
      refuse(
        `it is not clear what the input ${quote(name)}, ${show(value)}, is for. A CTC graph reads one input of numbers, and lengths or a mask.`,
        name,
        show(value),
      );
  }
  if (values === undefined)
    return refuse('it has no input of floats. A CTC graph reads samples, an image or features.', 'inputs', [
      ...description.inputs.keys(),
    ]);
  const scored = scoredOutputs([...description.outputs], told.output);
  const [[output, score] = []] = scored;
  if (output === undefined || score === undefined || scored.length > 1) {
    const required =
      told.output === undefined
        ? 'one output of scores with three dimensions, float32, float16 or float64'
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
  const outputs = { scores: graphTensor(graph, output, score, FLOAT_TYPES), lengths: lengthsOut };
  const dims = told.dims ?? values.dims.slice(1);
  const own = values.dims.slice(1);
  const fits = dims.length === own.length && own.every((size, axis) => size === null || size === dims[axis]);
  if (!fits || dims.filter((size) => size === null).length > 1) {
    refuse(
      `${values.name} is ${show(values)}, so the dimensions of a source are not clear. Tell them with the null for time, such as dims: [3, 48, null].`,
      values.name,
      dims,
    );
  }
  const length = lengths ?? mask;
  if (length !== undefined && !dims.includes(null)) {
    refuse(
      `a source has the fixed size [${dims.join(', ')}], so it is not clear what ${quote(length.name)} is to say. Export the graph with an open length.`,
      length.name,
      dims,
    );
  }
  const inputs = { values, lengths, mask };
  return { inputs, outputs, dims };
}
