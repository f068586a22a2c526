import { GraphSession, RuntimeTimings } from '@foretoken/core/runtime';
import * as runtime from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { describeGraph } from '../src/onnx/graph-description.js';
import { refusal } from './folder-fixtures.js';
import {
  externalTensor,
  field,
  graphAttribute,
  message,
  node,
  onnx,
  sum,
  tensorAttribute,
  varint,
  vector,
} from './onnx-fixtures.js';

const sparse = (values: Uint8Array, indices: Uint8Array) => message(field(1, values), field(2, indices));
const add = field(1, node('Add', ['x', 'w'], 'y'));
const constant = (...attributes: Uint8Array[]) => field(1, node('Constant', [], 'w', attributes));
const branch = (...parts: Uint8Array[]) => message(...parts, field(2, 'branch'), field(12, vector('z')));
const ownFunction = (...parts: Uint8Array[]) => field(25, message(field(1, 'f'), ...parts));

/** Every place of a model where a tensor can lie. */
const PLACES: Record<string, (tensor: Uint8Array) => Uint8Array> = {
  'the weights of the main graph': sum,
  'an attribute': (t) => onnx([constant(tensorAttribute(t)), add]),
  'an attribute of several tensors': (t) => onnx([constant(message(field(1, 'v'), field(10, t), field(20, 9))), add]),
  'a sparse weight, its values': (t) => onnx([add, field(15, sparse(t, message()))]),
  'a sparse weight, its indices': (t) => onnx([add, field(15, sparse(message(), t))]),
  'a sparse attribute': (t) => onnx([constant(message(field(1, 'v'), field(22, sparse(t, message())))), add]),
  'one of several sparse attributes': (t) => onnx([constant(message(field(1, 'v'), field(23, sparse(message(), t))))]),
  'a weight of a branch': (t) => onnx([field(1, node('If', ['c'], 'y', [graphAttribute('b', branch(field(5, t)))]))]),
  'an attribute in a branch of a branch': (t) => {
    const inner = graphAttribute('b', branch(constant(tensorAttribute(t))));
    return onnx([
      field(1, node('If', ['c'], 'y', [graphAttribute('b', branch(field(1, node('If', ['c'], 'z', [inner]))))])),
    ]);
  },
  'one of several graphs': (t) =>
    onnx([field(1, node('Own', ['x'], 'y', [message(field(1, 'g'), field(11, branch(field(5, t))))]))]),
  'a node of a function': (t) => onnx([], [ownFunction(field(7, node('Constant', [], 'w', [tensorAttribute(t)])))]),
  'a default attribute of a function': (t) => onnx([], [ownFunction(field(11, tensorAttribute(t)))]),
  'a graph that is the default of a function': (t) =>
    onnx([], [ownFunction(field(11, graphAttribute('b', branch(field(5, t)))))]),
  'a graph for training': (t) => onnx([add], [field(20, message(field(1, branch(field(5, t)))))]),
  'the algorithm of training': (t) => onnx([add], [field(20, message(field(2, branch(field(5, t)))))]),
  'an occurrence that another parser would drop': (t) =>
    onnx([constant(message(field(1, 'value'), field(5, t), field(5, message()), field(20, 4))), add]),
};

describe('where a graph keeps weights outside itself', () => {
  test.each(Object.keys(PLACES))('is found in %s', (place) => {
    const locations = ['../x', '/etc/passwd', '*/_ORT_MEM_ADDR_/*', 'weights.bin', 'a\0b', ''];
    for (const location of locations) {
      const { externalLocations, nestedLocations } = describeGraph(PLACES[place](externalTensor(location)), 'g.onnx');
      expect(externalLocations).toEqual([location]);
      expect(nestedLocations).toEqual(place === 'the weights of the main graph' ? [] : [location]);
    }
  });

  test('is every name that a tensor gives, also under a key that is given twice, and none is the empty name', () => {
    const entry = (...parts: Uint8Array[]) => field(13, message(...parts));
    const location = field(1, 'location');
    const cases: [tensor: Uint8Array, locations: string[]][] = [
      [message(entry(location, field(2, 'a')), entry(location, field(2, 'b')), field(14, 1)), ['a', 'b']],
      [message(entry(field(1, 'offset'), location, field(2, 'a')), field(14, 1)), ['a']],
      [message(entry(location, field(1, 'offset'), field(2, '8'))), ['8']],
      [message(entry(field(2, 'a'), field(2, 'b'), location), field(14, 1)), ['a', 'b']],
      [message(field(14, 1)), ['']],
      // Cut to 32 bits, as an enumeration is, this is 1 too.
      [message(field(14, 0x1_0000_0001n)), ['']],
      [message(entry(location), field(14, 1)), ['']],
      [message(entry(field(1, 'checksum'), field(2, 'a'))), []],
      [message(), []],
    ];
    for (const [tensor, locations] of cases) {
      expect(describeGraph(sum(tensor), 'g.onnx').externalLocations).toEqual(locations);
    }
  });

  test('has as many bytes as the tensor that ends last asks for', () => {
    const graph = onnx([add, field(5, externalTensor('a', 'w', 64, 8)), field(5, externalTensor('a', 'v', 16, 20))]);
    expect(describeGraph(graph, 'g.onnx').externalSizes).toEqual(new Map([['a', 72]]));
  });

  test.each(['-8', '1.5', 'x', '', '9'.repeat(20)])('is refused where %j is an offset', async (offset) => {
    const error = await refusal(() => describeGraph(sum(externalTensor('a', 'w', offset)), 'g.onnx'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'g.onnx' } });
    expect(error.message).toContain('offset of external data');
  });
});

describe('what is not ONNX as one writes it', () => {
  const deep = (depth: number): Uint8Array => {
    let graph = branch(field(5, externalTensor('x')));
    for (let level = 0; level < depth; level++)
      graph = branch(field(1, node('If', ['c'], 'z', [graphAttribute('b', graph)])));
    return onnx([field(1, node('If', ['c'], 'y', [graphAttribute('b', graph)]))]);
  };
  const whole = sum(externalTensor('x'));

  test.each<[string, Uint8Array, string]>([
    ['nothing', message(), 'no graph'],
    ['a text', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'ONNX graph'],
    ['two graphs', message(whole, whole), 'twice'],
    ['a cut one', whole.subarray(0, whole.length - 1), 'too early'],
    ['a group', message(varint((7 << 3) | 3), varint((7 << 3) | 4)), 'does not use'],
    ['a field without a number', message(varint(2), varint(0)), 'no valid number'],
    ['an overlong tag', message(Uint8Array.of(0xba, 0x80, 0x80, 0x80, 0x80, 0), varint(0)), 'too long'],
    ['a tag above 32 bits', message(Uint8Array.of(0xba, 0x80, 0x80, 0x80, 0x10), varint(0)), 'no valid number'],
    ['an endless number', message(varint(8), new Uint8Array(11).fill(0x80)), 'too long'],
    ['a length beyond its end', message(varint((7 << 3) | 2), varint(2 ** 40)), 'too long'],
    ['graphs 40 deep in one another', deep(40), 'deep'],
    ['graphs 20,000 deep in one another', deep(20_000), 'deep'],
    ["ONNX Runtime's own format", Buffer.from('\0\0\0\0ORTM'.padEnd(64, '\0'), 'latin1'), 'ONNX graph'],
  ])('%s is refused', async (_, bytes, words) => {
    const error = await refusal(() => describeGraph(bytes, 'g.onnx'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'g.onnx' } });
    expect(error.message).toContain(words);
  });
});

describe('a session', () => {
  const open = (graph: Uint8Array, externalData: Record<string, Uint8Array>) =>
    GraphSession.create(
      runtime,
      { path: 'g.onnx', graph, externalData: new Map(Object.entries(externalData)) },
      { threads: 1 },
      new RuntimeTimings(),
    );
  const weights = () => new Uint8Array(Float32Array.of(0, 3, 4).buffer);
  const run = async (session: GraphSession) => {
    const { y } = await session.run({ x: new runtime.Tensor('float32', Float32Array.of(1, 1), [2]) });
    return Array.from(y?.data as Float32Array);
  };

  test('reads the weights it is given, and keeps them when the caller writes over them', async () => {
    const data = weights();
    const session = await open(sum(externalTensor('w.bin', 'w', 4)), { 'w.bin': data });
    data.fill(0);
    expect(await run(session)).toEqual([4, 5]);
    await session.dispose();
  });

  test.each<[string, string | number, number]>([
    ['before the file', -4, 8],
    ['after its end', 8, 8],
    ['far after its end', '9223372036854775800', 8],
    ['from no number', 'x', 8],
    ['of another size than the tensor', 0, 4],
  ])('refuses weights that lie %s', async (_, offset, length) => {
    const error = await refusal(() => open(sum(externalTensor('w.bin', 'w', offset, length)), { 'w.bin': weights() }));
    expect(error).toMatchObject({ code: 'RUNTIME_FAILURE', details: { file: 'g.onnx' } });
  });

  test('reads nothing from disk: not from where it runs, and not what a check would have missed', async () => {
    // A file that is there.
    const location = 'package.json';
    for (const place of Object.keys(PLACES)) {
      const bytes = PLACES[place](externalTensor(location));
      expect((await refusal(() => open(bytes, {}))).code).toBe('RUNTIME_FAILURE');
    }
  });

  test("is of ONNX, never of the runtime's own format", async () => {
    const flat = Buffer.from('\0\0\0\0ORTM'.padEnd(64, '\0'), 'latin1');
    expect((await refusal(() => open(flat, {}))).message).toContain('protobuf');
  });
});
