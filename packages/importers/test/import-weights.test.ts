import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { float16BitsToFloat32, openModelFolder } from '@foretoken/models/internal';
import { describe, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { imported, SOURCES, type StudentName, weightsOf } from '../../models/test/student-fixtures.js';
import { importModel, readGraphWeights, WeightStore } from '../src/index.js';
import { findNonFinite, toHalf } from '../src/tensors/half-storage.js';
import { quantiseColumns, sinusoids, transpose } from '../src/tensors/matrices.js';
import { toFloat32InPieces } from '../src/tensors/to-float32.js';
import { editTensor, tensorsOf } from './import-fixtures.js';

const STUDENTS = ['ctc', 'ctc-fast', 'canvas-hints', 'dag', 'edit-hints'] as const;
const OPTION = {
  ctc: 'ctc',
  'ctc-fast': 'ctcFast',
  'canvas-hints': 'canvas',
  dag: 'dag',
  'edit-hints': 'edit',
} as const;

/** Copies of the weights folders of a model and all its students, one of them with a tensor changed. */
async function folders(name?: StudentName, tensor = '', edit: (values: Float32Array) => void = () => undefined) {
  const parent = await temporaryFolder();
  const all = new Map<StudentName, string>();
  for (const student of ['marian', ...STUDENTS] as const) {
    const folder = join(parent, student);
    await cp(await weightsOf(student), folder, { recursive: true });
    all.set(student, folder);
  }
  if (name !== undefined) await editTensor(all.get(name) as string, tensor, edit);
  const options = Object.fromEntries(STUDENTS.map((student) => [OPTION[student], all.get(student) as string]));
  return { marian: all.get('marian') as string, options, target: join(parent, 'model') };
}

/** All float weights of a model folder by name. */
async function weightsIn(target: string): Promise<ReadonlyMap<string, Float32Array>> {
  const folder = await openModelFolder(target);
  const weights = new Map<string, Float32Array>();
  for (const file of Object.keys(folder.manifest.files).filter((name) => name.endsWith('.onnx'))) {
    for (const [name, { values }] of await readGraphWeights(folder, file)) weights.set(name, values);
  }
  return weights;
}

/** Greedy outputs of all sources. */
async function outputs(folder: string): Promise<readonly number[][]> {
  await using model = await loadModel(folder, { probe: false });
  const sources = SOURCES;
  const { results } = await collect(greedy().decode(model.part('autoregressive'), { sources }));
  return results.flatMap(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]));
}

async function everyTensor(): Promise<(readonly [StudentName, string])[]> {
  const lists = (['marian', ...STUDENTS] as const).map(async (student) => {
    // One layer of each stack is enough.
    const names = [...(await tensorsOf(await weightsOf(student))).keys()].filter((name) => !/layers\.1\./.test(name));
    return names.map((name) => [student, name] as const);
  });
  return (await Promise.all(lists)).flat();
}

describe('weights that fp16 cannot hold', () => {
  test('stay as they are, whichever tensor they are in', async () => {
    const { marian, options, target } = await folders();
    let tensors = 0;
    for (const folder of [marian, ...Object.values(options)]) {
      for (const name of (await tensorsOf(folder)).keys()) {
        await editTensor(folder, name, (values) => values.fill(70_000 + tensors, 0, 1));
        tensors++;
      }
    }
    await importModel(marian, target, options);
    const stored = new Set<number>();
    for (const [name, values] of await weightsIn(target)) {
      expect(values.every(Number.isFinite), name).toBe(true);
      for (const value of values) stored.add(value);
    }
    const found = Array.from({ length: tensors }, (_, index) => stored.has(70_000 + index)).filter(Boolean).length;
    // Biases that are folded into others and matrices that are stored as 8 bits alone do not keep their values.
    expect(found).toBeGreaterThan(0.8 * tensors);
    await using model = await loadModel(target, { probe: false });
    expect(model.manifest.files).toHaveProperty('ctc-fast.onnx');
  });

  test('are the weights that were trained, and the model computes with them', async () => {
    const large = await folders('marian', 'model.decoder.layers.0.fc1.weight', (values) => {
      values[3] = 70_000;
      values[5] = -1e9;
    });
    await importModel(large.marian, large.target);
    const stored = (await weightsIn(large.target)).get('model.decoder.layers.0.fc1.weight') as Float32Array;
    expect([...stored].filter((value) => Math.abs(value) > 65_504).sort((a, b) => a - b)).toEqual([-1e9, 70_000]);
    const exact = join(large.target, '..', 'exact');
    await importModel(large.marian, exact, { weights: 'float32' });
    const [half, full] = await Promise.all([large.target, exact].map(outputs));
    expect(half).toEqual(full);
  });

  test.each([
    ['overflow', [1, 65_520, 2], undefined],
    ['just fit', [1, 65_519, 2], [1, 65_504, 2]],
    ['vanish together', [1e-9, -2e-9, 0], undefined],
    ['vanish beside others', [1e-9, -2e-9, 1], [0, -0, 1]],
    ['lose most of their digits together', [3e-6, 1.1e-7, 0], undefined],
    ['are small, but multiples of 2^-24', [2 ** -24, -(2 ** -20), 0], [2 ** -24, -(2 ** -20), 0]],
    ['are nothing at all', [0, -0, 0], [0, -0, 0]],
    ['can change nothing', [1e-20, 0, 0], [0, 0, 0]],
  ])('a vector whose values %s: %j', async (_, values, kept) => {
    const halves = await toHalf(Float32Array.from(values), [values.length], new Yielder());
    expect(halves && [...float16BitsToFloat32(halves)]).toEqual(kept);
  });

  test('a column of a matrix counts by itself, a row does not', async () => {
    const matrix = (values: number[]) => toHalf(Float32Array.from(values), [2, 2], new Yielder());
    expect(await matrix([1, 1e-8, 1, 2e-8])).toBeUndefined();
    expect(await matrix([1, 1, 1e-8, 2e-8])).toBeDefined();
  });

  test('do not change how the others are stored', async () => {
    const sizes = new Map<string, number>();
    for (const values of [undefined, 70_000]) {
      const { marian, options, target } = await folders('marian', 'model.decoder.layers.0.fc1.bias', (bias) => {
        if (values !== undefined) bias[0] = values;
      });
      await importModel(marian, target, options);
      sizes.set(String(values), (await openModelFolder(target)).manifest.files['weights.bin']?.bytes ?? 0);
    }
    expect((sizes.get('70000') as number) - (sizes.get('undefined') as number)).toBeLessThanOrEqual(256);
  });
});

describe('weights that are not finite', () => {
  test('are refused by name, whichever tensor they are in', async () => {
    const { marian, options, target } = await folders();
    for (const [student, tensor] of await everyTensor()) {
      const value = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][tensor.length % 3];
      const folder = join(target, '..', student);
      const before = await readFile(join(folder, 'model.safetensors'));
      await editTensor(folder, tensor, (values) => values.fill(value, -1));
      const error = await refusal(() => importModel(marian, target, options));
      await writeFile(join(folder, 'model.safetensors'), before);
      expect(error, `${student}: ${tensor}`).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
        details: { folder, file: 'model.safetensors', field: tensor, received: value },
      });
      expect(error.message).toContain(tensor);
      expect(error.message).toContain(folder);
    }
  });

  test('and those of a masked language model', async () => {
    const folder = await weightsOf('masked-lm');
    await editTensor(folder, 'embed.weight', (values) => values.fill(Number.NaN, 3, 4));
    const error = await refusal(() => imported(folder));
    expect(error.details).toMatchObject({ field: 'embed.weight', index: 3 });
  });

  test('that come of folding biases are refused too', async () => {
    const { marian, options, target } = await folders('marian', 'model.decoder.layers.0.fc2.bias', (values) =>
      values.fill(3e38),
    );
    await editTensor(marian, 'model.decoder.layers.0.encoder_attn_layer_norm.bias', (values) => values.fill(3e38));
    const error = await refusal(() => importModel(marian, target, options));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { field: 'model.decoder.layers.0.encoder_attn_layer_norm.bias', received: Number.POSITIVE_INFINITY },
    });
  });
});

test('8-bit weights never wrap around, however small their scale', async () => {
  // In the smallest numbers that fp32 has, a scale is a few multiples of 2^-149.
  for (const unit of [1, 2, 5, 100, 142, 143, 190, 1000].map((multiple) => multiple * 2 ** -149)) {
    const values = Float32Array.of(unit, -unit, unit / 2, 0);
    const matrix = quantiseColumns({ dims: [4, 1], values: async () => values });
    const [{ 0: scale }, quantised] = [await matrix.scales(new Yielder()), await matrix.quantised(new Yielder())];
    for (const [index, value] of values.entries()) {
      expect(Math.abs(quantised[index] * scale - value)).toBeLessThanOrEqual(unit);
      expect(Math.sign(quantised[index]) * Math.sign(value)).toBeGreaterThanOrEqual(0);
    }
  }
});

test('a weight is made, stored and let go when its turn in the data file comes', async () => {
  const store = new WeightStore('float16');
  const made: string[] = [];
  const weight = (name: string, value: number) => async () => {
    made.push(name);
    return Float32Array.of(value);
  };
  store.add('a', [1], weight('a', 1));
  store.add('b', [1], weight('b', 1e6));
  store.add('a', [1], weight('a again', 2));
  expect(() => store.find('a')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  const pieces = store.stream();
  const lengths: number[] = [];
  for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) {
    lengths.push(piece.value.length);
    if (lengths.length === 1) expect(made).toEqual(['a']);
  }
  expect(made).toEqual(['a', 'b']);
  expect(lengths).toEqual([2, 62, 4, 60]);
  expect([store.find('a'), store.find('b')]).toMatchObject([
    { elementType: 'float16', offset: 0, length: 2 },
    { elementType: 'float32', offset: 64, length: 4 },
  ]);
  expect(() => store.add('c', [1], Float32Array.of(1))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  await expect(store.stream().next()).rejects.toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('work on a large weight is done in pieces, between which others have their turn', async () => {
  const [rows, columns] = [1024, 2048];
  const values = new Float32Array(rows * columns).fill(0.5);
  const matrix = { dims: [rows, columns], values: async () => values };
  const halves = new Uint8Array(2 * values.length);
  const works: Readonly<Record<string, (pace: Yielder) => Promise<unknown>>> = {
    toHalf: (pace) => toHalf(values, [rows, columns], pace),
    findNonFinite: (pace) => findNonFinite(values, pace),
    transpose: (pace) => transpose(matrix).values(pace),
    quantise: (pace) => quantiseColumns(matrix).quantised(pace),
    sinusoids: (pace) => sinusoids(rows, columns).values(pace),
    toFloat32: (pace) => toFloat32InPieces({ dtype: 'F16', shape: [rows, columns], data: halves }, pace),
  };
  for (const [name, work] of Object.entries(works)) {
    let turns = 0;
    class Counted extends Yielder {
      override due(): boolean {
        return true;
      }
      override async yield(): Promise<void> {
        turns++;
      }
    }
    await work(new Counted());
    expect(turns, name).toBeGreaterThan(1);
  }
});
