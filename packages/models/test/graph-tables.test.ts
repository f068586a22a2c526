import { describe, expect, test } from 'vitest';
import { grownCaches } from '../src/onnx/grown-caches.js';
import { tabledPositions } from '../src/onnx/position-tables.js';
import { field, message, node, onnx, varint } from './onnx-fixtures.js';

const nodeOf = (operator: string, inputs: readonly string[], domain = '') =>
  field(1, node(operator, inputs, 'y', [], domain));
/** An fp32 weight of these sizes, without its values. */
const weight = (name: string, ...dims: readonly number[]) =>
  field(5, message(...dims.map((size) => field(1, size)), field(2, 1), field(8, name)));
const packed = (name: string, ...dims: readonly number[]) =>
  field(5, message(field(1, message(...dims.map(varint))), field(2, 1), field(8, name)));

const MICROSOFT = 'com.microsoft';
const GROUPED = nodeOf('GroupQueryAttention', ['q', 'k', 'v', 'pk', 'pv', 's', 't', 'cos', 'sin'], MICROSOFT);
const WITHOUT_TABLE = nodeOf('GroupQueryAttention', ['q', 'k', 'v', 'pk', 'pv', 's', 't', '', ''], MICROSOFT);
const ROTARY = nodeOf('RotaryEmbedding', ['x', 'position_ids', 'cos', 'sin'], MICROSOFT);
const LOOKED_UP = nodeOf('Gather', ['places', 'position_ids']);

describe('the positions that a graph has', () => {
  test.each<[string, readonly Uint8Array[], number | undefined]>([
    ['of attention', [GROUPED, weight('cos', 48, 8), weight('sin', 48, 8)], 48],
    ['of a rotation, whose sizes are packed', [ROTARY, packed('cos', 300, 8)], 300],
    ['of learned places', [LOOKED_UP, weight('places', 200, 32)], 200],
    ['of both, the fewest', [ROTARY, LOOKED_UP, weight('places', 20, 32), weight('cos', 48, 8)], 20],
    ['of attention without a table', [WITHOUT_TABLE, weight('cos', 48, 8)], undefined],
    ['of a table that is computed', [GROUPED], undefined],
    ['of rows that tokens look up', [nodeOf('Gather', ['places', 'input_ids']), weight('places', 9, 4)], undefined],
    [
      'of an operator of that name elsewhere',
      [nodeOf('GroupQueryAttention', Array(8).fill('cos')), weight('cos', 9, 4)],
      undefined,
    ],
    ['of a table of three dimensions', [ROTARY, weight('cos', 2, 9, 4)], undefined],
  ])('%s', (_, parts, positions) => {
    expect(tabledPositions(onnx(parts), 'position_ids')).toBe(positions);
  });

  test('are read of sizes without end as fast as they are long, and none are read of broken ones', () => {
    const sizes = (...bytes: readonly number[]) =>
      onnx([LOOKED_UP, field(5, message(field(1, Uint8Array.from(bytes)), field(8, 'places')))]);
    expect(tabledPositions(sizes(...Array<number>(100_000).fill(1)), 'position_ids')).toBeUndefined();
    expect(() => tabledPositions(sizes(9, 0x80), 'position_ids')).toThrow(RangeError);
    expect(() => tabledPositions(sizes(...Array<number>(20).fill(0x80), 1), 'position_ids')).toThrow(RangeError);
  });

  test('are not those of what looks up nothing, where the graph takes no positions', () => {
    expect(
      tabledPositions(onnx([nodeOf('Gather', ['places', '']), weight('places', 9, 4)]), undefined),
    ).toBeUndefined();
  });
});

describe('what inputs of a cache become', () => {
  const both = (inputs: readonly string[], outputs: readonly string[]) =>
    field(
      1,
      message(...inputs.map((name) => field(1, name)), ...outputs.map((name) => field(2, name)), field(4, 'Any')),
    );
  const grown = (...nodes: readonly Uint8Array[]) =>
    Object.fromEntries(grownCaches(onnx(nodes), new Set(['pk', 'pv']), new Set(['nk', 'nv'])));

  test('is told by the node that takes them', () => {
    expect(grown(both(['q', 'k', 'v', 'pk', 'pv'], ['y', 'nk', 'nv']))).toEqual({ pk: 'nk', pv: 'nv' });
    expect(grown(both(['pv', 'v'], ['nv']), both(['pk', 'k'], ['nk']))).toEqual({ pk: 'nk', pv: 'nv' });
  });

  test('is not told where other nodes stand between, or one takes both and gives one', () => {
    expect(grown(both(['pk'], ['a']), both(['a', 'k'], ['nk']))).toEqual({});
    expect(grown(both(['pk', 'pv'], ['nk']))).toEqual({});
  });
});
