import {
  type EncoderInput,
  type GraphTensor,
  type GraphValue,
  quote,
  type StepInput,
  unsupportedModel,
} from '@foretoken/models/internal';
import { type ExportedGraph, graphTensor } from '../read-export.js';
import type { RecurrentStepOptions } from './step-options.js';
import { wireStep } from './step-wiring.js';

const show = ({ type, dims }: GraphValue): string => `${type} [${dims.map((size) => size ?? 'any').join(', ')}]`;
const isInteger = ({ type }: GraphValue): boolean => type === 'int32' || type === 'int64';

function unclear({ folder, file }: ExportedGraph, name: string, value: GraphValue, roles: string, remedy = ''): never {
  throw unsupportedModel(
    `${file} in ${folder}: it is not clear what the input ${quote(name)}, ${show(value)}, is for; known are ${roles}.${remedy}`,
    { folder, file, field: name, received: show(value) },
  );
}

/** The inputs of an encoder; a mask is `undefined` as long as it is not known what it says. Throws `UNSUPPORTED_MODEL`. */
export function readEncoderInputs(
  graph: ExportedGraph,
): readonly (Omit<EncoderInput, 'role'> & { readonly role?: EncoderInput['role'] | undefined })[] {
  let tokens = 0;
  const inputs = [...graph.description.inputs].map(([name, value]) => {
    const tensor = graphTensor(graph, name, value);
    const rank = value.dims.length;
    if (rank === 1 && isInteger(value)) return { role: 'lengths' as const, tensor };
    if (rank === 2 && /mask/i.test(name)) return { role: undefined, tensor };
    if (rank === 2 && isInteger(value) && tokens++ === 0) return { role: 'tokens' as const, tensor };
    return unclear(graph, name, value, 'token ids [batch, time], lengths [batch] and a mask [batch, time]');
  });
  if (tokens === 1) return inputs;
  const { folder, file } = graph;
  throw unsupportedModel(
    `${file} in ${folder}: an encoder needs an input of token ids, int32 or int64 [batch, time].`,
    {
      folder,
      file,
      received: [...graph.description.inputs.keys()],
    },
  );
}

/** All outputs of a graph as a manifest holds them, those of types that are not read left out. */
export function readOutputs(graph: ExportedGraph): readonly GraphTensor[] {
  return [...graph.description.outputs].flatMap(([name, value]) =>
    ['float32', 'int32', 'int64', 'bool'].includes(value.type) ? [graphTensor(graph, name, value)] : [],
  );
}

/** Throws `UNSUPPORTED_MODEL` for a state of which it cannot be known how many numbers it has. */
function assertSized({ folder, file }: ExportedGraph, name: string, value: GraphValue, hasSource: boolean): void {
  const open = value.dims.filter((size) => size === null).length;
  if (open <= (hasSource ? 2 : 1)) return;
  const may = hasSource ? 'the batch and the length of a source' : 'the batch';
  throw unsupportedModel(
    `${file} in ${folder}: the state ${quote(name)} is ${show(value)}. Only ${may} may be open, so it is not known how many numbers it has. Export the step with fixed sizes of layers and states.`,
    { folder, file, field: name, received: show(value), required: `open dimensions for ${may} alone` },
  );
}

/** What the inputs of a step are for: as told, and by their names, shapes and outputs. Throws `INVALID_ARGUMENT`, `UNSUPPORTED_MODEL`. */
export function readStepInputs(
  graph: ExportedGraph,
  encoder: ExportedGraph | undefined,
  scores: string,
  told: RecurrentStepOptions['inputs'],
): readonly StepInput[] {
  const wires = wireStep(graph, encoder, scores, told);
  const inputs = [...graph.description.inputs].map(([name, value]): StepInput => {
    const tensor = graphTensor(graph, name, value);
    const { from, to } = wires.get(name) ?? {};
    if (to !== undefined && value.type === 'float32') {
      assertSized(graph, name, value, encoder !== undefined);
      const symbolic = value.dims.indexOf(null);
      const batchAxis = symbolic >= 0 ? symbolic : Math.max(0, value.dims.indexOf(1));
      return { role: 'state', tensor, from, to, batchAxis };
    }
    if (from !== undefined) return { role: 'memory', tensor, from };
    if (/pos/i.test(name) && value.dims.length === 2) return { role: 'positions', tensor };
    if (isInteger(value) && value.dims.length <= 2 && value.dims.length >= 1) return { role: 'tokens', tensor };
    return unclear(
      graph,
      name,
      value,
      'the token, states that come out again, what the encoder gives, and positions',
      ` Tell it as inputs: { ${quote(name)}: { from: "an output of the encoder", to: "an output of the step" } }, to for a state alone.`,
    );
  });
  const count = (role: StepInput['role']): number => inputs.filter((input) => input.role === role).length;
  if (count('tokens') === 1 && count('state') > 0) return inputs;
  const { folder, file } = graph;
  throw unsupportedModel(
    `${file} in ${folder}: a recurrent step needs one input of a token and states that come out again, such as hidden and hidden_out; it has ${count('tokens')} and ${count('state')}.`,
    { folder, file, received: { tokens: count('tokens'), states: count('state') } },
  );
}
