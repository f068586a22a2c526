import type { Value } from '../graphs/graph-builder.js';
import { stackRows, transpose } from '../tensors/matrices.js';
import { type BlockContext, vectorOf } from './block-context.js';
import { linear, product } from './linear.js';

/** What the layer's parts are called; `out` is a projection behind it, where there is one. */
export interface SsruNames {
  readonly input: string;
  readonly forget: string;
  readonly out?: string | undefined;
}

/**
 * A simpler simple recurrent unit (Kim et al., 2019): `c = f * c before + (1 - f) * Wx`, with `f = sigmoid(Vx + b)`, gives
 * `relu(c)`. Products are over all of `x [rows, cells, width]` at once; only `c` goes from token to token.
 *
 * A row's cells are chains one after the other, as many as `before [chains of all rows, width]` has for it. Returns what the layer
 * gives `[rows, cells, width]`, and `c` after each token, `[chains of all rows, length, width]`.
 */
export function ssru(
  context: BlockContext,
  width: number,
  names: SsruNames,
  prefix: string,
  x: Value,
  before: Value,
): { readonly states: Value; readonly cells: Value } {
  const { graph, tensorOf } = context;
  const list = (...values: number[]): Value => graph.constant('int64', [values.length], values);
  const matrix = (name: string) => tensorOf(`${prefix}.${name}.weight`, [width, width]);
  const both = transpose(stackRows([matrix(names.input), matrix(names.forget)]));
  const fused = product(context, x, `${prefix}.cell.weight`, both);
  const [input, gate] = graph.ops('Split', [fused, list(width, width)], 2, { axis: 2 });
  const forget = graph.op('Sigmoid', [
    graph.op('Add', [gate, vectorOf(context, `${prefix}.${names.forget}.bias`, width)]),
  ]);
  const kept = graph.op('Mul', [graph.op('Sub', [graph.constant('float32', [], [1]), forget]), input]);
  const chains = graph.op('Shape', [before], { start: 0, end: 1 });
  const byChain = graph.op('Concat', [chains, list(-1, width)], { axis: 0 });
  const sequences = [forget, kept].map((value) => graph.op('Reshape', [value, byChain]));
  const [, cells] = graph.scan([before], sequences, 1, ([cell], [forgets, keeps]) => {
    const next = graph.op('Add', [graph.op('Mul', [forgets, cell]), keeps]);
    return { next: [next], given: [graph.op('Identity', [next])] };
  });
  const rows = graph.op('Reshape', [graph.op('Relu', [cells]), graph.op('Shape', [x])]);
  const { out } = names;
  const states =
    out === undefined
      ? rows
      : linear(context, rows, `${prefix}.${out}`, { inputs: width, outputs: width, biased: true });
  return { states, cells };
}
