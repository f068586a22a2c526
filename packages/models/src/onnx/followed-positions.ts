import type { GraphScope, ScopedNode } from './graph-scope.js';

/** What of a graph's inputs tells how many positions there are. */
export interface CountedInputs {
  /** Those whose values are positions. */
  readonly positions: readonly string[];
  /** Those that have a place for each position, new or past, and which axis that is, counted from either end. */
  readonly axes: ReadonlyMap<string, readonly number[]>;
  /** Those that hold 1 where there is a token, else 0. */
  readonly masks: readonly string[];
}

/** Far more operators than stand between an input and a table. */
const MAX_STEPS = 64;

/** What gives the same positions in another shape, or some of them; what gives the same number in another shape. */
const RESHAPED: ReadonlySet<string> = new Set(
  ['Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'Expand', 'Tile', 'Slice', 'Flatten'].map(
    (name) => `.${name}`,
  ),
);
/** What gives as many positions as it takes. */
const OF_EQUAL_LENGTH: ReadonlySet<string> = new Set(
  ['Cast', 'Identity', 'Reshape', 'Not', 'Equal', 'Mul', 'Add', 'Sub', 'DequantizeLinear'].map((name) => `.${name}`),
);
/** What gives true or false. */
const COMPARED: ReadonlySet<string> = new Set([
  '.Not',
  '.Equal',
  '.Greater',
  '.Less',
  '.GreaterOrEqual',
  '.LessOrEqual',
]);
/** What looks up an embedding for each token. */
const LOOKED_UP: ReadonlySet<string> = new Set(['.Gather', 'com.microsoft.GatherBlockQuantized']);

/**
 * Follows numbers of a graph back to its inputs, through what exporters write for positions: ranges up to a length, and counted masks,
 * with constants added. What is computed in another way is not followed, so that nothing is taken for a position which is none.
 */
export class FollowedPositions {
  readonly #inputs: CountedInputs;
  readonly #highest = new Map<ScopedNode, number | undefined>();
  readonly #lengths = new Map<ScopedNode, number | undefined>();

  /** Of a graph with these inputs. */
  constructor(inputs: CountedInputs) {
    this.#inputs = inputs;
  }

  /** By how much more than the last of the positions, counted from 0, the largest of these numbers is; undefined where they are none. */
  highest(scope: GraphScope, name: string, steps = 0): number | undefined {
    const node = scope.node(name);
    if (node === undefined) return this.#inputs.positions.includes(name) ? 0 : undefined;
    return this.#once(this.#highest, node, steps, () => {
      const { scope: own, parts } = node;
      const { operator, inputs } = parts;
      const [first, second] = inputs;
      const next = (input: string): number | undefined => this.highest(own, input, steps + 1);
      if (RESHAPED.has(operator)) return next(first);
      if (operator === '.Range') return own.integer(inputs[2]) === 1 ? this.length(own, second, steps + 1) : undefined;
      if (operator === '.CumSum') return this.#isAlong(own, first, own.integer(second), steps + 1) ? 1 : undefined;
      if (operator === '.Sub') return sum(next(first), negative(own.integer(second)));
      if (operator !== '.Add' && operator !== '.Mul') return undefined;
      for (const [one, other] of [
        [first, second],
        [second, first],
      ]) {
        const found = next(one);
        if (found === undefined) continue;
        // What was counted from the first new token has the past added.
        if (operator === '.Add') return sum(found, own.integer(other) ?? this.length(own, other, steps + 1));
        return this.#isMask(own, other, steps + 1) ? found : undefined;
      }
      return undefined;
    });
  }

  /** By how much more than a length, or a sum of lengths, a number is; undefined where it is none. */
  length(scope: GraphScope, name: string, steps = 0): number | undefined {
    const node = scope.node(name);
    if (node === undefined) return undefined;
    return this.#once(this.#lengths, node, steps, () => {
      const { scope: own, parts } = node;
      const { operator, inputs } = parts;
      const next = (input: string): number | undefined => this.length(own, input, steps + 1);
      const added = (input: string): number | undefined => own.integer(input) ?? next(input);
      const [first, second] = inputs;
      if (operator === '.Add') {
        return next(first) === undefined ? sum(next(second), added(first)) : sum(next(first), added(second));
      }
      if (operator === '.Sub') return sum(next(first), negative(own.integer(second)));
      if (operator === '.Shape') {
        const axis = parts.integer('start') ?? 0;
        const isOne = parts.integer('end') === axis + 1;
        return isOne && this.#isAlong(own, first, axis, steps + 1) ? 0 : undefined;
      }
      if (operator === '.Gather' || operator === '.Slice') {
        const shape = own.node(first);
        const axis = own.integer(second);
        const isOne = operator === '.Gather' || (axis !== undefined && own.integer(inputs[2]) === axis + 1);
        return isOne && isWholeShape(shape) && this.#isAlong(shape.scope, shape.parts.inputs[0], axis, steps + 1)
          ? 0
          : undefined;
      }
      return RESHAPED.has(operator) ? next(first) : undefined;
    });
  }

  /** Whether an axis of a value is that of the positions of an input. */
  #isAlong(scope: GraphScope, name: string, axis: number | undefined, steps: number): boolean {
    if (axis === undefined || steps > MAX_STEPS) return false;
    const node = scope.node(name);
    if (node === undefined) return this.#inputs.axes.get(name)?.includes(axis) === true;
    const { scope: own, parts } = node;
    const { operator, inputs } = parts;
    if (LOOKED_UP.has(operator))
      return own.dims(inputs[0]) !== undefined && this.#isAlong(own, inputs[1], axis, steps + 1);
    if (!OF_EQUAL_LENGTH.has(operator)) return false;
    const [computed] = inputs.filter((input) => own.dims(input) === undefined);
    return computed !== undefined && this.#isAlong(own, computed, axis, steps + 1);
  }

  /** Whether a value is 0 or 1. */
  #isMask(scope: GraphScope, name: string, steps: number): boolean {
    if (steps > MAX_STEPS) return false;
    const node = scope.node(name);
    if (node === undefined) return this.#inputs.masks.includes(name);
    return (
      COMPARED.has(node.parts.operator) ||
      (RESHAPED.has(node.parts.operator) && this.#isMask(node.scope, node.parts.inputs[0], steps + 1))
    );
  }

  /** Computes what is known of an operator the first time that it is asked for; a graph that goes round gives nothing. */
  #once<Key>(
    known: Map<Key, number | undefined>,
    key: Key,
    steps: number,
    compute: () => number | undefined,
  ): number | undefined {
    if (known.has(key)) return known.get(key);
    if (steps > MAX_STEPS) return undefined;
    known.set(key, undefined);
    const found = compute();
    known.set(key, found);
    return found;
  }
}

/** Whether all sizes are given; ONNX Runtime writes the usual start down. */
function isWholeShape(node: ScopedNode | undefined): node is ScopedNode {
  if (node?.parts.operator !== '.Shape') return false;
  return (node.parts.integer('start') ?? 0) === 0 && node.parts.integer('end') === undefined;
}

function sum(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other;
}

function negative(value: number | undefined): number | undefined {
  return value === undefined ? undefined : -value;
}
