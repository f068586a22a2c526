import { type Dense, GraphBuilder, type Value, WeightStore } from '@foretoken/importers';

/** Sizes the bench graphs are built to. */
export interface BenchShape {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly feedForward: number;
  readonly vocabularySize: number;
}

export interface BuiltGraph {
  readonly graph: Uint8Array;
  readonly weights: Uint8Array;
}

/** Reads the columns `[from, to)` of a `[in, out]` matrix, or the elements of a vector. */
function columns({ dims, values }: Dense, from: number, to: number): Dense {
  if (dims.length === 1) return { dims: [to - from], values: values.slice(from, to) };
  const [rows, all] = dims as [number, number];
  const cut = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++) cut.set(values.subarray(row * all + from, row * all + to), row * (to - from));
  return { dims: [rows, to - from], values: cut };
}

/**
 * The decoder step as a direct transcription of the layer equations, without any fused operator: one product and one
 * addition a projection, attention from MatMul and Softmax, one cache tensor a layer and side, logits out.
 *
 * One row, one new token: `token_ids`, `positions` int32 `[1, 1]`; `past_i [1, past, width]`; `cross_i [1, source,
 * width]`.
 */
export async function buildPlainStep(
  weights: ReadonlyMap<string, Dense>,
  shape: BenchShape,
  dataFile: string,
): Promise<BuiltGraph> {
  const { width, heads, layers, vocabularySize } = shape;
  const store = new WeightStore('float32');
  const graph = new GraphBuilder(store, dataFile);
  const of = (name: string): Dense => weights.get(name) as Dense;
  const put = (name: string, dense: Dense): Value => graph.weight(name, dense.dims, dense.values);
  // The importer folds most of these into other weights; the plain graph adds what is left of them, zeros.
  const closingBias = (name: string): Dense => weights.get(name) ?? { dims: [width], values: new Float32Array(width) };
  const linear = (x: Value, name: string, weight: Dense, bias: Dense): Value =>
    graph.op('Add', [graph.op('MatMul', [x, put(`${name}.w`, weight)]), put(`${name}.b`, bias)]);
  const norm = (x: Value, name: string): Value =>
    graph.op(
      'LayerNormalization',
      [x, put(`${name}.weight`, of(`${name}.weight`)), put(`${name}.bias`, of(`${name}.bias`))],
      {
        axis: -1,
        epsilon: { float: 1e-5 },
      },
    );
  const splitHeads = graph.constant('int64', [4], [0, -1, heads, width / heads]);
  const mergeHeads = graph.constant('int64', [3], [0, -1, width]);
  const byHead = (x: Value): Value =>
    graph.op('Transpose', [graph.op('Reshape', [x, splitHeads])], { perm: [0, 2, 1, 3] });
  const scale = graph.constant('float32', [], [1 / Math.sqrt(width / heads)]);
  const attend = (query: Value, keys: Value, values: Value): Value => {
    const scores = graph.op('MatMul', [byHead(query), graph.op('Transpose', [keys], { perm: [0, 1, 3, 2] })]);
    const weighted = graph.op('Softmax', [graph.op('Mul', [scores, scale])], { axis: -1 });
    const read = graph.op('Transpose', [graph.op('MatMul', [weighted, values])], { perm: [0, 2, 1, 3] });
    return graph.op('Reshape', [read, mergeHeads]);
  };
  const tokenIds = graph.input('token_ids', 'int32', [1, 1]);
  const positions = graph.input('positions', 'int32', [1, 1]);
  const embedding = put('model.shared.weight', of('model.shared.weight'));
  let x = graph.op('Mul', [
    graph.op('Gather', [embedding, tokenIds]),
    graph.constant('float32', [], [Math.sqrt(width)]),
  ]);
  const table = [...weights.keys()].find((name) => name.startsWith('position_table')) as string;
  x = graph.op('Add', [x, graph.op('Gather', [put(table, of(table)), positions])]);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.decoder.layers.${layer}`;
    const part = (index: number, kind: string): Dense =>
      columns(of(`${prefix}.self_attn.qkv.${kind}`), index * width, (index + 1) * width);
    const project = (index: number, name: string): Value =>
      linear(x, `${prefix}.self.${name}`, part(index, 'weight'), part(index, 'bias'));
    const query = project(0, 'q');
    const sides = ['key', 'value'].map((side, index) => {
      const fresh = graph.op('Identity', [project(index + 1, side)], {}, { name: `new_${2 * layer + index}` });
      graph.output(fresh, 'float32', [1, 1, width]);
      const past = graph.input(`past_${2 * layer + index}`, 'float32', [1, 'past', width]);
      return byHead(graph.op('Concat', [past, fresh], { axis: 1 }));
    });
    const close = (read: Value, block: string): Value => {
      const out = linear(
        read,
        `${prefix}.${block}.out`,
        of(`${prefix}.${block}.out_proj.weight`),
        closingBias(`${prefix}.${block}.out_proj.bias`),
      );
      return norm(graph.op('Add', [x, out]), `${prefix}.${block}_layer_norm`);
    };
    x = close(attend(query, sides[0], sides[1]), 'self_attn');
    const queryBias = of(`${prefix}.encoder_attn.q_proj.bias`);
    const crossQuery = linear(x, `${prefix}.cross.q`, of(`${prefix}.encoder_attn.q_proj.weight`), queryBias);
    const cross = [0, 1].map((index) =>
      byHead(graph.input(`cross_${2 * layer + index}`, 'float32', [1, 'source', width])),
    );
    x = close(attend(crossQuery, cross[0], cross[1]), 'encoder_attn');
    const hidden = linear(x, `${prefix}.fc1`, of(`${prefix}.fc1.weight`), of(`${prefix}.fc1.bias`));
    const active = graph.op('Mul', [hidden, graph.op('Sigmoid', [hidden])]);
    const out = linear(active, `${prefix}.fc2`, of(`${prefix}.fc2.weight`), closingBias(`${prefix}.fc2.bias`));
    x = norm(graph.op('Add', [x, out]), `${prefix}.final_layer_norm`);
  }
  const output = graph.op('Transpose', [embedding], { perm: [1, 0] });
  const product = graph.op('MatMul', [x, output]);
  graph.op('Add', [product, put('final_logits_bias', of('final_logits_bias'))], {}, { name: 'logits' });
  graph.output('logits', 'float32', [1, 1, vocabularySize]);
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream()) pieces.push(piece);
  return { graph: graph.build('plain-step'), weights: Buffer.concat(pieces) };
}
