import { blockContext, type ProductPrecision } from '../blocks/block-context.js';
import { linear } from '../blocks/linear.js';
import { sinusoidalPositions } from '../blocks/positions.js';
import { encoderLayer, type LayerShape, POST_NORM } from '../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { keptUnderName, type TensorOf } from '../tensors/tensor-reader.js';

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
  /** What they are made of: `[batch, source, width]`, int32 `[batch, source]`, and int32 `[batch, frames]` each. */
  readonly states: Value;
  readonly sourceMask: Value;
  readonly positions: Value;
  readonly mask: Value;
  /** The linear layer `name` of the student; `owner` is another that has the same one and keeps its weights. */
  readonly linear: (x: Value, name: string, inputs: number, outputs: number, owner?: string) => Value;
}

/** What frames are made of: `[batch, source, width]` and int32 `[batch, source]`. */
export interface FrameSource {
  readonly states: Value;
  readonly mask: Value;
}

/** `states [batch, source, width]` and `source_mask` int32 `[batch, source]` as inputs of the graph. */
function sourceInputs(graph: GraphBuilder, width: number): FrameSource {
  return {
    states: graph.input('states', 'float32', ['batch', 'source', width]),
    mask: graph.input('source_mask', 'int32', ['batch', 'source']),
  };
}

/**
 * Source states to frames: `positions` and `mask` int32 `[batch, frames]` in beside the source, where
 * frames = upsample * source. Weights are kept under `student`.
 */
export function emitFrames(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  shape: FrameShape,
  student: string,
  precision: ProductPrecision,
  source: FrameSource = sourceInputs(graph, shape.width),
): Frames {
  const { width, upsample } = shape;
  const context = blockContext(graph, keptUnderName(tensorOf), { precision });
  const { states, mask: sourceMask } = source;
  const positions = graph.input('positions', 'int32', ['batch', 'frames']);
  const mask = graph.input('mask', 'int32', ['batch', 'frames']);
  const own: Frames['linear'] = (input, name, inputs, outputs, owner = student) =>
    linear(context, input, `${owner}.${name}`, { inputs, outputs, biased: true });
  const layer = (stack: string, number: number) => {
    return { shape, style: POST_NORM, prefix: `${student}.${stack}.${number}` };
  };
  let x = states;
  for (let number = 0; number < shape.sourceLayers; number++) {
    x = encoderLayer(context, layer('source_layers', number), x, sourceMask);
  }
  const wide = own(x, 'upsample', width, upsample * width);
  const frames = graph.op('Reshape', [wide, graph.constant('int64', [3], [0, -1, width])]);
  const position = sinusoidalPositions(graph, shape.maxPositions, width, positions);
  x = graph.op('Add', [frames, position]);
  for (let number = 0; number < shape.frameLayers; number++) {
    x = encoderLayer(context, layer('frame_layers', number), x, mask);
  }
  return { x, position, states, sourceMask, positions, mask, linear: own };
}
