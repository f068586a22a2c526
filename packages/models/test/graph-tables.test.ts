import { describe, expect, test } from 'vitest';
import type { CountedInputs } from '../src/onnx/followed-positions.js';
import { grownCaches } from '../src/onnx/grown-caches.js';
import { tabledPositions } from '../src/onnx/position-tables.js';
import { wireParts } from '../src/onnx/wire-parts.js';
import { field, graphAttribute, message, node, onnx, varint } from './onnx-fixtures.js';

const nodeOf = (operator: string, inputs: readonly string[], domain = '') =>
  field(1, node(operator, inputs, 'y', [], domain));
/** A graph's parts, as its file has them. */
const partsOf = (nodes: readonly Uint8Array[]) => {
  const parts = wireParts(onnx(nodes));
  if (parts === undefined) throw new Error('It has no graph.');
  return parts;
};
/** An fp32 weight of these sizes, without its values. */
const weight = (name: string, ...dims: readonly number[]) =>
  field(5, message(...dims.map((size) => field(1, size)), field(2, 1), field(8, name)));
const packed = (name: string, ...dims: readonly number[]) =>
  field(5, message(field(1, message(...dims.map(varint))), field(2, 1), field(8, name)));

/** A whole number that a graph holds. */
const integer = (name: string, value: number) => field(5, message(field(2, 7), field(8, name), field(7, value)));
const INPUTS: CountedInputs = {
  positions: ['position_ids'],
  axes: new Map<string, readonly number[]>([
    ['input_ids', [1, -1]],
    ['attention_mask', [1, -1]],
    ['past_key', [2, -2]],
  ]),
  masks: ['attention_mask'],
};

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
    expect(tabledPositions(partsOf(parts), INPUTS)).toBe(positions);
  });

  test('are read of sizes without end as fast as they are long, and none are read of broken ones', () => {
    const sizes = (...bytes: readonly number[]) =>
      partsOf([LOOKED_UP, field(5, message(field(1, Uint8Array.from(bytes)), field(8, 'places')))]);
    expect(tabledPositions(sizes(...Array<number>(100_000).fill(1)), INPUTS)).toBeUndefined();
    expect(() => tabledPositions(sizes(9, 0x80), INPUTS)).toThrow(RangeError);
    expect(() => tabledPositions(sizes(...Array<number>(20).fill(0x80), 1), INPUTS)).toThrow(RangeError);
  });

  test('are not those of what looks up nothing, where the graph takes no positions', () => {
    expect(
      tabledPositions(partsOf([nodeOf('Gather', ['places', '']), weight('places', 9, 4)]), {
        ...INPUTS,
        positions: [],
      }),
    ).toBeUndefined();
  });
});

describe('the positions that a graph counts itself', () => {
  const op = (operator: string, inputs: readonly string[], output: string, ...attributes: readonly Uint8Array[]) =>
    field(1, node(operator, inputs, output, attributes));
  const told = (name: string, value: number) => message(field(1, name), field(3, value));
  /** Numbers that exporters write into graphs. */
  const NUMBERS = [-1, 0, 1, 2, 3].map((value) => integer(String(value), value));
  const TABLE = weight('places', 42, 16);
  const LOOK_UP = op('Gather', ['places', 'at'], 'y');
  /** How many new tokens there are, and how many there were. */
  const LENGTHS = [
    op('Shape', ['input_ids'], 'ids_shape'),
    op('Gather', ['ids_shape', '1'], 'new'),
    op('Shape', ['past_key'], 'past_shape'),
    op('Gather', ['past_shape', '2'], 'past'),
    op('Add', ['past', 'new'], 'all'),
  ];
  const MASK = [op('Equal', ['input_ids', '1'], 'is_pad'), op('Not', ['is_pad'], 'is'), op('Cast', ['is'], 'mask')];
  const CUT = [
    op('Unsqueeze', ['past', '0'], 'begin'),
    op('Unsqueeze', ['all', '0'], 'end'),
    op('Slice', ['places', 'begin', 'end', '0'], 'y'),
  ];
  const counted = (parts: readonly Uint8Array[], table: Uint8Array = TABLE) =>
    tabledPositions(partsOf([...NUMBERS, table, ...parts]), INPUTS);

  test.each<[string, readonly Uint8Array[], number | undefined]>([
    ['by a range', [op('Range', ['0', 'new', '1'], 'at')], 42],
    [
      'by a range, where the usual start of a shape is written down',
      [
        op('Shape', ['input_ids'], 'whole', told('start', 0)),
        op('Gather', ['whole', '-1'], 'n'),
        op('Range', ['0', 'n', '1'], 'at'),
      ],
      42,
    ],
    [
      'of the sizes before the last',
      [
        op('Shape', ['input_ids'], 'part', told('start', 0), told('end', 1)),
        op('Gather', ['part', '-1'], 'n'),
        op('Range', ['0', 'n', '1'], 'at'),
      ],
      undefined,
    ],
    [
      'by a range behind the past, two rows on',
      [
        op('Range', ['past', 'all', '1'], 'range'),
        op('Unsqueeze', ['range', '0'], 'row'),
        op('Add', ['row', '2'], 'at'),
      ],
      40,
    ],
    [
      'by a range whose end is two on',
      [op('Add', ['all', '2'], 'end'), op('Add', ['past', '2'], 'begin'), op('Range', ['begin', 'end', '1'], 'at')],
      40,
    ],
    [
      'by a range with the past added',
      [op('Range', ['0', 'new', '1'], 'range'), op('Add', ['past', 'range'], 'at')],
      42,
    ],
    [
      'by counted tokens that are no padding',
      [
        ...MASK,
        op('CumSum', ['mask', '1'], 'sum'),
        op('Add', ['sum', 'past'], 'sums'),
        op('Mul', ['sums', 'mask'], 'numbers'),
        op('Add', ['numbers', '1'], 'at'),
      ],
      40,
    ],
    [
      'by a counted mask, less one and two rows on',
      [
        op('CumSum', ['attention_mask', '-1'], 'sum'),
        op('Mul', ['attention_mask', 'sum'], 'numbers'),
        op('Sub', ['numbers', '1'], 'less'),
        op('Slice', ['less', 'past', 'all', '1'], 'last'),
        op('Add', ['last', '2'], 'at'),
      ],
      40,
    ],
    ['by given positions, two rows on', [op('Add', ['position_ids', '2'], 'at')], 40],
    [
      'by one size of a shape',
      [
        op('Shape', ['input_ids'], 'size', told('start', 1), told('end', 2)),
        op('Squeeze', ['size'], 'n'),
        op('Range', ['0', 'n', '1'], 'at'),
      ],
      42,
    ],
    [
      'of rows, not positions',
      [op('Gather', ['ids_shape', '0'], 'rows'), op('Range', ['0', 'rows', '1'], 'at')],
      undefined,
    ],
    ['of every other position', [op('Range', ['0', 'all', '2'], 'at')], undefined],
    [
      'of distances between positions',
      [
        op('Range', ['0', 'all', '1'], 'one'),
        op('Unsqueeze', ['one', '0'], 'other'),
        op('Sub', ['one', 'other'], 'at'),
      ],
      undefined,
    ],
    ['of what stands for itself', [op('Add', ['at', '1'], 'at')], undefined],
    ['of tokens', [op('Cast', ['input_ids'], 'at')], undefined],
  ])('%s', (_, parts, positions) => {
    expect(counted([...LENGTHS, ...parts, LOOK_UP])).toBe(positions);
    // Most exports of one graph have all of it in the branches of an operator.
    const branch = message(...NUMBERS, ...LENGTHS, ...parts, LOOK_UP);
    const none = message(op('Cast', ['input_ids'], 'y'));
    const both = [graphAttribute('then_branch', none), graphAttribute('else_branch', branch)];
    expect(counted([field(1, node('If', ['use_cache_branch'], 'y', both))])).toBe(positions);
  });

  test('where it cuts the table, whatever is before its positions', () => {
    expect(counted([...LENGTHS, ...CUT])).toBe(42);
    const wide = [...LENGTHS, ...CUT.slice(0, 2), op('Slice', ['places', 'begin', 'end', '2'], 'y')];
    expect(counted(wide, weight('places', 1, 1, 7, 4))).toBe(7);
  });

  test('in tables in 4 bits or fp16, but in none of its tokens', () => {
    const at = op('Range', ['0', 'new', '1'], 'at');
    const packed = field(1, node('GatherBlockQuantized', ['places', 'at', 'scales'], 'y', [], MICROSOFT));
    expect(counted([...LENGTHS, at, packed])).toBe(42);
    expect(counted([...LENGTHS, at, op('Cast', ['places'], 'wide'), op('Gather', ['wide', 'at'], 'y')])).toBe(42);
    expect(counted([...LENGTHS, at, op('Gather', ['places', 'at'], 'y', told('axis', 1))])).toBeUndefined();
  });

  test('in a table that is repeated for each path, as GPT-J has it', () => {
    const look = (axis: number) => [
      op('Expand', ['places', 'sizes'], 'expanded'),
      op('Tile', ['expanded', 'times'], 'tiled'),
      op('Unsqueeze', ['position_ids', '-1'], 'row'),
      op('Expand', ['row', 'sizes'], 'rows'),
      op('GatherElements', ['tiled', 'rows'], 'y', told('axis', axis)),
    ];
    expect(counted(look(1))).toBe(42);
    expect(counted(look(2))).toBeUndefined();
    expect(counted([op('Tile', ['tiled', 'times'], 'tiled'), ...look(1).slice(2)])).toBeUndefined();
  });

  test('at once, however often operators stand for one another', () => {
    const doubled = Array.from({ length: 60 }, (_, at) => op('Add', [`a${at}`, `a${at}`], `a${at + 1}`));
    expect(counted([...doubled, op('Gather', ['places', 'a60'], 'y')])).toBeUndefined();
  });
});

describe('what inputs of a cache become', () => {
  const both = (inputs: readonly string[], outputs: readonly string[]) =>
    field(
      1,
      message(...inputs.map((name) => field(1, name)), ...outputs.map((name) => field(2, name)), field(4, 'Any')),
    );
  const grown = (...nodes: readonly Uint8Array[]) =>
    Object.fromEntries(grownCaches(partsOf(nodes), new Set(['pk', 'pv']), new Set(['nk', 'nv'])));

  test('is told by the node that takes them', () => {
    expect(grown(both(['q', 'k', 'v', 'pk', 'pv'], ['y', 'nk', 'nv']))).toEqual({ pk: 'nk', pv: 'nv' });
    expect(grown(both(['pv', 'v'], ['nv']), both(['pk', 'k'], ['nk']))).toEqual({ pk: 'nk', pv: 'nv' });
  });

  test('is not told where other nodes stand between, or one takes both and gives one', () => {
    expect(grown(both(['pk'], ['a']), both(['a', 'k'], ['nk']))).toEqual({});
    expect(grown(both(['pk', 'pv'], ['nk']))).toEqual({});
  });
});
