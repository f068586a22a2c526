import { type Dense, GraphBuilder, type Value, WeightStore } from '@foretoken/importers';
import type { BenchShape, BuiltGraph } from './plain-step.js';

/**
 * Only the weight products of one decoder step, chained, as a lower bound on what a step can take: the fused
 * query-key-value, output, cross-attention, feed-forward and vocabulary matrices. `x [1, new, width]` in, `logits` out.
 */
export async function buildMatrixProducts(
  weights: ReadonlyMap<string, Dense>,
  shape: BenchShape,
  dataFile: string,
): Promise<BuiltGraph> {
  const { width, layers, vocabularySize } = shape;
  const store = new WeightStore('float32');
  const graph = new GraphBuilder(store, dataFile);
  const put = (name: string): Value => {
    const dense = weights.get(name) as Dense;
    return graph.weight(name, dense.dims, dense.values);
  };
  const times = (x: Value, name: string): Value => graph.op('MatMul', [x, put(name)]);
  let x = graph.input('x', 'float32', [1, 'new', width]);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.decoder.layers.${layer}`;
    // The fused product ends here; being an output keeps the optimiser from dropping it.
    const fused = graph.op('MatMul', [x, put(`${prefix}.self_attn.qkv.weight`)], {}, { name: `qkv_${layer}` });
    graph.output(fused, 'float32', [1, 'new', 3 * width]);
    for (const name of ['self_attn.out_proj', 'encoder_attn.q_proj', 'encoder_attn.out_proj', 'fc1', 'fc2']) {
      x = times(x, `${prefix}.${name}.weight`);
    }
  }
  const rows = graph.op('Reshape', [x, graph.constant('int64', [2], [-1, width])]);
  graph.op('Gemm', [rows, put('model.shared.weight')], { transB: 1 }, { name: 'logits' });
  graph.output('logits', 'float32', ['rows', vocabularySize]);
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream()) pieces.push(piece);
  return { graph: graph.build('matrix-products'), weights: Buffer.concat(pieces) };
}
