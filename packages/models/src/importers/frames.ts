import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { LayerEmitter, type LayerShape, type ProductPrecision, type TensorOf } from './layers.js';
import { sinusoids, transpose } from './matrices.js';

/** Sizes of a student that turns each source state into several frames. */
export interface FrameShape extends LayerShape {
  /** Layers over source positions, before the upsampling. */
  readonly sourceLayers: number;
  /** Layers over frames, after it. */
  readonly frameLayers: number;
  readonly upsample: number;
  /** Most frames. */
  readonly maxPositions: number;
}

/** The frames of a student's graph, and what its head reads them with. */
export interface Frames {
  /** `[batch, frames, width]`, and the sinusoids of their positions, alike. */
  readonly x: Value;
  readonly position: Value;
  /** Inputs of the graph: `[batch, source, width]`, int32 `[batch, source]`, and int32 `[batch, frames]` each. */
  readonly states: Value;
  readonly sourceMask: Value;
  readonly positions: Value;
  readonly mask: Value;
  /** The linear layer `name` of the student. */
  readonly linear: (x: Value, name: string, inputs: number, outputs: number) => Value;
}

/**
 * Source states to frames: `states [batch, source, width]`, `source_mask` int32 `[batch, source]`, `positions` and `mask`
 * int32 `[batch, frames]` in, where frames = upsample * source. Weights are kept under `student`.
 */
export function emitFrames(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  shape: FrameShape,
  student: string,
  precision: ProductPrecision,
): Frames {
  const { width, upsample } = shape;
  const own: TensorOf = (name, dims) => tensorOf(name.slice(student.length + 1), dims);
  const layers = new LayerEmitter(graph, own, shape, precision);
  const states = graph.input('states', 'float32', ['batch', 'source', width]);
  const sourceMask = graph.input('source_mask', 'int32', ['batch', 'source']);
  const positions = graph.input('positions', 'int32', ['batch', 'frames']);
  const mask = graph.input('mask', 'int32', ['batch', 'frames']);
  const linear = (input: Value, name: string, inputs: number, outputs: number): Value => {
    const weight = transpose(tensorOf(`${name}.weight`, [outputs, inputs]));
    const bias = tensorOf(`${name}.bias`, [outputs]);
    const added = graph.weight(`${student}.${name}.bias`, bias.dims, bias.values);
    return layers.product(input, `${student}.${name}.weight`, weight, added);
  };
  let x = states;
  for (let layer = 0; layer < shape.sourceLayers; layer++) {
    x = layers.encoderLayer(x, sourceMask, `${student}.source_layers.${layer}`);
  }
  const wide = linear(x, 'upsample', width, upsample * width);
  const frames = graph.op('Reshape', [wide, graph.constant('int64', [3], [0, -1, width])]);
  const { dims, values } = sinusoids(shape.maxPositions, width);
  const table = graph.weight(`${student}.position_table`, dims, values, true);
  const position = graph.op('Gather', [table, positions]);
  x = graph.op('Add', [frames, position]);
  for (let layer = 0; layer < shape.frameLayers; layer++) {
    x = layers.encoderLayer(x, mask, `${student}.frame_layers.${layer}`);
  }
  return { x, position, states, sourceMask, positions, mask, linear };
}
