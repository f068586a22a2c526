import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { GraphBuilder, type Value } from '../src/graphs/graph-builder.js';
import { ModelProto } from '../src/graphs/proto.js';
import { WeightStore } from '../src/graphs/weight-store.js';

const WIDTH = 3;

/** Element types of onnx.proto3, those that model folders do not hold among them. */
const FLOATS = { float32: 1, float16: 10, float64: 11, bfloat16: 16 };
type FloatName = keyof typeof FLOATS;

export interface CtcFixture {
  readonly classes: number;
  readonly blankId: number;
  readonly layout?: 'batch-time' | 'time-batch';
  readonly values?: 'logits' | 'logProbs' | 'probabilities';
  /** Takes lengths, and says how many frames a source has. */
  readonly lengths?: boolean;
  /** A frame depends on the mean of all, padding included. */
  readonly global?: boolean;
  /** Types of numbers that go in and come out, where they are not float32. */
  readonly floats?: { readonly in?: FloatName; readonly out?: FloatName };
  /** Frames of all sources, where their size is fixed; the batch too, where that is told. */
  readonly fixed?: { readonly frames: number; readonly batch?: number | undefined };
  /** All classes are as probable as one another, always. */
  readonly flat?: boolean;
  /** Dimensions that the scores are declared to have, whatever they have. */
  readonly declared?: readonly (number | string)[];
  /** NaN or infinite: added to every score, or to those of one class. */
  readonly spoilt?: { readonly by: number; readonly of?: number };
}

/**
 * A graph that hears class `c` where the features of a frame are those of `featuresOf(c)`, and the blank in what is quiet; as
 * others would export it.
 */
export async function writeCtcGraph(folder: string, fixture: CtcFixture): Promise<string> {
  const {
    classes,
    blankId,
    layout = 'batch-time',
    values = 'logits',
    lengths = false,
    global = false,
    floats = {},
    fixed,
    flat = false,
    declared,
    spoilt,
  } = fixture;
  const [batch, time] = fixed === undefined ? ['batch', 'time'] : [fixed.batch ?? 'batch', fixed.frames];
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  let x: Value = graph.input('features', 'float32', [batch, time, WIDTH]);
  if (floats.in !== undefined) x = graph.op('Cast', [x], { to: FLOATS.float32 });
  const weights = Array.from({ length: WIDTH * classes }, (_, at) =>
    at % classes === blankId ? 0 : featuresOf(at % classes)[Math.floor(at / classes)],
  );

  const bias = Array.from({ length: classes }, (_, id) => (id === blankId ? 12 : -norm(id) / 2));
  if (global) {
    const mean = graph.op('ReduceMean', [x, graph.constant('int64', [1], [1])], { keepdims: 1 });
    x = graph.op('Add', [x, graph.op('Mul', [mean, graph.constant('float32', [], [0.5])])]);
  }
  const product = graph.op('MatMul', [x, graph.constant('float32', [WIDTH, classes], weights)]);
  let logits = graph.op('Add', [product, graph.constant('float32', [classes], bias)]);
  if (flat) logits = graph.op('Mul', [logits, graph.constant('float32', [], [0])]);
  if (spoilt !== undefined) {
    const { by, of } = spoilt;
    // Constants are finite; quotients need not be.
    const from = Number.isNaN(by) ? 0 : Math.sign(by);
    const is = bias.map((_, id) => of === undefined || of === id);
    const parts = [is.map((one) => (one ? from : 0)), is.map((one) => (one ? 0 : 1))];
    const [above, below] = parts.map((values) => graph.constant('float32', [classes], values));
    logits = graph.op('Add', [logits, graph.op('Div', [above, below])]);
  }
  const scores =
    values === 'logits' ? logits : graph.op(values === 'logProbs' ? 'LogSoftmax' : 'Softmax', [logits], { axis: -1 });
  const batchFirst = layout === 'batch-time';
  const out = floats.out === undefined ? scores : graph.op('Cast', [scores], { to: FLOATS[floats.out] });
  graph.op(batchFirst ? 'Identity' : 'Transpose', [out], batchFirst ? {} : { perm: [1, 0, 2] }, { name: 'scores' });
  graph.output('scores', 'float32', declared ?? (batchFirst ? [batch, time, classes] : [time, batch, classes]));
  if (lengths) {
    const given = graph.input('feature_lengths', 'int64', ['batch']);
    graph.op('Cast', [given], { to: ELEMENT_TYPE.int64 }, { name: 'frames' });
    graph.output('frames', 'int64', ['batch']);
  }
  const file = join(folder, 'model.onnx');
  await writeFile(file, withFloats(graph.build('ctc'), floats));
  return file;
}

/** A model whose first input and first output are declared to be of these types. */
function withFloats(model: Uint8Array, { in: input, out: output }: NonNullable<CtcFixture['floats']>): Uint8Array {
  if (input === undefined && output === undefined) return model;
  const content = ModelProto.toObject(ModelProto.decode(model)) as {
    graph: Record<'input' | 'output', { type: { tensorType: { elemType: number } } }[]>;
  };
  if (input !== undefined) content.graph.input[0].type.tensorType.elemType = FLOATS[input];
  if (output !== undefined) content.graph.output[0].type.tensorType.elemType = FLOATS[output];
  return ModelProto.encode(ModelProto.fromObject(content)).finish();
}

/** Loud features of a class, all classes apart. */
function featuresOf(id: number): readonly number[] {
  const angle = id * 0.7;
  return [9 * Math.cos(angle), 9 * Math.sin(angle), 3 * (id % 3)];
}

const norm = (id: number): number => featuresOf(id).reduce((sum, value) => sum + value * value, 0);

/** Frames that say these classes; -1 is silence. */
export function saying(ids: readonly number[]): { readonly values: Float32Array; readonly dims: readonly number[] } {
  const values = ids.flatMap((id) => (id < 0 ? [0, 0, 0] : [...featuresOf(id)]));
  return { values: Float32Array.from(values), dims: [ids.length, WIDTH] };
}
