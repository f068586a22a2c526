import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { type CtcInput, type CtcOutput, type FloatSource, loadModel } from '@foretoken/models';
import { expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { field, message, node, tensorAttribute } from '../../models/test/onnx-fixtures.js';
import { filesWithGraphs } from '../src/adapters/read-export.js';
import { importCtcModel } from '../src/index.js';

const [WIDTH, CLASSES] = [3, 4];
const WEIGHTS = Float32Array.from({ length: WIDTH * CLASSES }, (_, at) => ((at * 7) % 11) - 5);
/** The weights from the ninth byte on, and then something else. */
const FILE = Buffer.concat([Buffer.alloc(8, 1), Buffer.from(WEIGHTS.buffer), Buffer.alloc(40, 2)]);

const dimension = (size: number | string) => field(1, message(field(typeof size === 'number' ? 1 : 2, size)));
const floats = (name: string, dims: readonly (number | string)[]) =>
  message(field(1, name), field(2, message(field(1, message(field(1, 1), field(2, message(...dims.map(dimension))))))));
const tensor = (...parts: readonly Uint8Array[]) =>
  message(field(1, WIDTH), field(1, CLASSES), field(2, 1), field(8, 'w'), ...parts);
const kept = (entries: Readonly<Record<string, string>>) =>
  tensor(
    ...Object.entries(entries).map(([key, value]) => field(13, message(field(1, key), field(2, value)))),
    field(14, 1),
  );
const inside = tensor(field(9, Buffer.from(WEIGHTS.buffer)));

/** A CTC graph whose scores are features times `weight`. */
const graphOf = (weight: Uint8Array, ...more: readonly Uint8Array[]) =>
  message(
    field(1, 8),
    field(8, message(field(1, ''), field(2, 17))),
    field(
      7,
      message(
        field(1, node('MatMul', ['features', 'w'], 'scores')),
        ...more,
        field(2, 'g'),
        field(5, weight),
        field(11, floats('features', ['batch', 'time', WIDTH])),
        field(12, floats('scores', ['batch', 'time', CLASSES])),
      ),
    ),
  );

/** Imports a graph from a folder with these files, and decodes a frame; scores of the classes, relative to the first. */
async function imported(graph: Uint8Array, prepare: (folder: string) => Promise<unknown>): Promise<number[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'model.onnx'), graph);
  await prepare(folder);
  const target = join(await temporaryFolder(), 'model');
  await importCtcModel(join(folder, 'model.onnx'), target, { dictionary: ['-', 'a', 'b', 'c'], blank: '-' });
  const model = await loadModel<CtcInput, CtcOutput, FloatSource>(target);
  try {
    const source = { values: Float32Array.of(1, 0, 0), dims: [1, WIDTH] };
    const [lattice] = await model.part('lattice').emit([source], { k: CLASSES });
    if (lattice === undefined || lattice.kind === 'dag') throw new Error('No CTC lattice came');
    const scores = Array.from({ length: CLASSES }, (_, id) =>
      id === 0 ? lattice.blankLogProbs[0] : lattice.logProbs[lattice.tokenIds.indexOf(id)],
    );
    return scores.map((score) => Math.round(score - scores[0]));
  } finally {
    await model.dispose();
  }
}

const RIGHT = [0, 7, 3, 10];
const beside =
  (name: string, content: Uint8Array = FILE) =>
  (folder: string) =>
    writeFile(join(folder, name), content);

it.each<[string, Uint8Array, (folder: string) => Promise<unknown>]>([
  ['inside', graphOf(inside), async () => undefined],
  ['in a file', graphOf(kept({ location: 'w.bin', offset: '8', length: '48' })), beside('w.bin')],
  ['without a length', graphOf(kept({ location: 'w.bin', offset: '8' })), beside('w.bin')],
  [
    'in a link to a file beside it',
    graphOf(kept({ location: 'w.bin', offset: '8' })),
    async (folder) => {
      await beside('real.bin')(folder);
      await symlink('real.bin', join(folder, 'w.bin'));
    },
  ],
  [
    'in a file that has two names',
    graphOf(kept({ location: 'w.bin', offset: '8' })),
    async (folder) => {
      await beside('real.bin')(folder);
      await link(join(folder, 'real.bin'), join(folder, 'w.bin'));
    },
  ],
  [
    'in a file with other weights over it',
    graphOf(kept({ location: 'w.bin', offset: '8' }), field(5, message(kept({ location: 'w.bin' }), field(8, 'v')))),
    beside('w.bin'),
  ],
])('weights %s are those of the imported model', async (_, graph, prepare) => {
  expect(await imported(graph, prepare)).toEqual(RIGHT);
});

it.each(['scores.onnx', 'symbols.json', 'foretoken.json', 'Scores.ONNX', 'SYMBOLS.json'])(
  'weights in %s are refused, since the model folder has a file of this name',
  async (name) => {
    const error = await refusal(() => imported(graphOf(kept({ location: name, offset: '8' })), beside(name)));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { received: name } });
    expect(error.message).toContain('another name');
  },
);

it.each([
  ...['poids é.bin', 'a b.bin', 'w+.bin', 'con.bin', 'nul', 'w.', '.w', 'sub/w.bin', 'sub\\w.bin', './w.bin'],
  ...['../w.bin', '%2e%2e/w.bin', '%77.bin', 'w\0.bin', 'file:w.bin', '~', 'w.bin\n', '\u202ew.bin', ''],
])('weights in %j are refused as no plain name', async (name) => {
  const prepare = async (folder: string) => {
    await mkdir(join(folder, 'sub'));
    for (const file of ['w.bin', 'sub/w.bin', 'a b.bin', 'poids é.bin', 'w+.bin']) await beside(file)(folder);
  };
  const error = await refusal(() => imported(graphOf(kept({ location: name })), prepare));
  expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.onnx', received: name } });
  expect(error.message).toMatch(/plain relative name|must lie beside it/);
});

const RUNTIMES = ['beyond it', 'with a length of another size'];

it.each<[string, Readonly<Record<string, string>>]>([
  ['before the file', { offset: '-48', length: '48' }],
  ['beyond it', { offset: '80' }],
  ['with a negative length', { length: '-48' }],
  ['with a length of another size', { length: '52' }],
  ['from a number in another way of writing', { offset: '0x8' }],
  ['from a fraction', { offset: '8.5' }],
  ['from beyond all numbers', { offset: '18446744073709551624' }],
])('weights %s are refused before the folder is written', async (where, place) => {
  const graph = graphOf(kept({ location: 'w.bin', ...place }));
  // What fits the file, and not the tensor's shape, is the runtime's to refuse.
  const code = RUNTIMES.includes(where) ? 'RUNTIME_FAILURE' : 'INVALID_MODEL_FOLDER';
  expect((await refusal(() => imported(graph, beside('w.bin')))).code).toBe(code);
});

it('tensors of other parts that are kept in a file are refused before the graph is run', async () => {
  const elsewhere = kept({ location: 'w.bin', offset: '8' });
  const graph = graphOf(inside, field(1, node('Constant', [], 'k', [tensorAttribute(elsewhere)])));
  const error = await refusal(() => imported(graph, beside('w.bin')));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'model.onnx', received: 'w.bin' } });
});

it('two graphs may share a file of weights, but not its name, nor names that differ by capitals alone', () => {
  const graph = (files: Readonly<Record<string, string>>) => ({
    folder: 'folder',
    file: 'graph.onnx',
    bytes: Uint8Array.of(1),
    description: { inputs: new Map(), outputs: new Map(), externalLocations: [], nestedLocations: [] },
    externalData: new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
  });
  const files = (first: Readonly<Record<string, string>>, second: Readonly<Record<string, string>>) =>
    [
      ...filesWithGraphs(
        [
          ['a', graph(first)],
          ['b', graph(second)],
        ] as const,
        new Map([['c', 'text']]),
      ).keys(),
    ].sort();
  expect(files({ w: '1' }, { w: '1', v: '2' })).toEqual(['a', 'b', 'c', 'v', 'w']);
  for (const [first, second] of [
    [{ w: '1' }, { w: '2' }],
    [{ w: '1' }, { W: '1' }],
    [{ w: '1' }, { a: '1' }],
    [{ b: '1' }, {}],
    [{ C: '1' }, {}],
    [{ w: '1', W: '2' }, {}],
  ] as const) {
    expect(() => files(first, second)).toThrow(ForetokenError);
  }
});
