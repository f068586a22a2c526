import type { AttributeValue, Value } from '../graphs/graph-builder.js';
import { type DeferredDense, stackRows } from '../tensors/matrices.js';
import type { BlockContext } from './block-context.js';

/** What a recurrent layer computes: Elman (1990), Cho et al. (2014), Hochreiter and Schmidhuber (1997). */
export type Cell = 'rnn' | 'gru' | 'lstm';

export interface RecurrentShape {
  readonly cell: Cell;
  /** Of a plain RNN. */
  readonly activation: 'tanh' | 'relu';
  /** Width of the state. */
  readonly width: number;
  readonly biased: boolean;
}

/** A layer's states at each time, `[time, directions, batch, width]`, and after the last, `[directions, batch, width]` each. */
export interface RecurrentValues {
  readonly states: Value;
  readonly hidden: Value;
  /** Of an LSTM. */
  readonly memory?: Value | undefined;
}

export interface RecurrentInputs {
  /** `[time, batch, inputs]`. */
  readonly x: Value;
  readonly inputs: number;
  /** Length of each sequence, int32 `[batch]`; default all. */
  readonly lengths?: Value | undefined;
  /** State before the first, `[directions, batch, width]`; default zeros. */
  readonly hidden?: Value | undefined;
  readonly memory?: Value | undefined;
}

const OPERATORS: Readonly<Record<Cell, string>> = { rnn: 'RNN', gru: 'GRU', lstm: 'LSTM' };
/** Where the gates of ONNX are among those of PyTorch: GRU reset, update, new; LSTM input, forget, cell, output. */
const GATES: Readonly<Record<Cell, readonly number[]>> = { rnn: [0], gru: [1, 0, 2], lstm: [0, 3, 1, 2] };

/** One recurrent layer whose weights are named as in PyTorch: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` and `suffix` of each. */
export function recurrentLayer(
  context: BlockContext,
  { cell, activation, width, biased }: RecurrentShape,
  prefix: string,
  suffixes: readonly string[],
  { x, inputs, lengths = '', hidden = '', memory = '' }: RecurrentInputs,
): RecurrentValues {
  const { graph, tensorOf } = context;
  const gates = GATES[cell];
  const rows = gates.length * width;
  const kept = (part: string, of: (suffix: string) => DeferredDense): Value => {
    const { dims, values, exact } = stackRows(suffixes.map(of));
    const shape = [suffixes.length, dims[0] / suffixes.length, ...dims.slice(1)];
    return graph.weight(`${prefix}.${part}${suffixes[0]}.onnx`, shape, values, exact);
  };
  const matrix = (part: string, columns: number): Value =>
    kept(part, (suffix) => gateRows(tensorOf(`${prefix}.${part}${suffix}`, [rows, columns]), gates));
  const bias = (): Value =>
    kept('bias', (suffix) =>
      stackRows(['bias_ih', 'bias_hh'].map((part) => gateRows(tensorOf(`${prefix}.${part}${suffix}`, [rows]), gates))),
    );
  const read = [x, matrix('weight_ih', inputs), matrix('weight_hh', width), biased ? bias() : '', lengths, hidden];
  const attributes: Record<string, AttributeValue> = {
    hidden_size: width,
    direction: suffixes.length === 2 ? 'bidirectional' : 'forward',
  };
  // As PyTorch has it: the reset gate comes after the product.
  if (cell === 'gru') attributes.linear_before_reset = 1;
  if (cell === 'rnn')
    attributes.activations = { strings: suffixes.map(() => (activation === 'relu' ? 'Relu' : 'Tanh')) };
  const given = cell === 'lstm' ? [...read, memory] : read;
  const outputs = graph.ops(OPERATORS[cell], given, cell === 'lstm' ? 3 : 2, attributes);
  return { states: outputs[0], hidden: outputs[1], memory: outputs[2] };
}

/** The blocks of rows that belong to each gate, in another order. */
function gateRows({ dims, values, exact }: DeferredDense, order: readonly number[]): DeferredDense {
  return {
    dims,
    exact,
    values: async (pace) => {
      const from = await values(pace);
      const block = from.length / order.length;
      const sorted = new Float32Array(from.length);
      for (const [place, gate] of order.entries())
        sorted.set(from.subarray(gate * block, (gate + 1) * block), place * block);
      return sorted;
    },
  };
}
