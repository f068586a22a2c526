import { CONTRIB, type Value } from '../graphs/graph-builder.js';
import type { BlockContext } from './block-context.js';

/** What a feed-forward block applies between its layers; `gelu-tanh` and `gelu-sigmoid` approximate GELU. */
export type Activation = 'silu' | 'relu' | 'gelu' | 'gelu-tanh' | 'gelu-sigmoid';

/** The activation of each number (Hendrycks and Gimpel, 2016, for GELU and SiLU). */
export function activate({ graph }: BlockContext, activation: Activation, x: Value): Value {
  switch (activation) {
    case 'silu':
      // `x * sigmoid(1 * x)`.
      return graph.op('QuickGelu', [x], { alpha: { float: 1 } }, { domain: CONTRIB });
    case 'gelu-sigmoid':
      return graph.op('QuickGelu', [x], { alpha: { float: 1.702 } }, { domain: CONTRIB });
    case 'relu':
      return graph.op('Relu', [x]);
    case 'gelu':
      return graph.op('Gelu', [x], { approximate: 'none' });
    case 'gelu-tanh':
      return graph.op('Gelu', [x], { approximate: 'tanh' });
  }
}
