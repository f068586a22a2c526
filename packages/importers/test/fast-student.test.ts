import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CtcLattice } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { loadModel } from '@foretoken/models';
import { SHORTLIST_FILE } from '@foretoken/models/internal';
import { describe, expect, it, vi } from 'vitest';
import { refusal } from '../../models/test/folder-fixtures.js';
import { EXPECTED, imported, type Scores, SOURCES, VOCABULARY, weightsOf } from '../../models/test/student-fixtures.js';
import { safetensors } from '../../models/test/tiny-marian.js';
import { WeightStore } from '../src/graphs/weight-store.js';
import type { ImportOptions } from '../src/index.js';
import { openSafetensors } from '../src/readers/safetensors/open-safetensors.js';

type Config = Readonly<Record<string, unknown>>;

/** Labels of the head, the blank among them. */
const LABELS = 10;
const LISTED = [4, 9, 13, 6];

/** A model folder of the Marian model, its CTC student and a fast student. */
async function fastFolder(options: ImportOptions = {}): Promise<string> {
  const [ctc, ctcFast] = [await weightsOf('ctc'), await weightsOf('ctc-fast')];
  return imported(await weightsOf('marian'), { weights: 'float32', ctc, ctcFast, ...options });
}

/** The ordinary CTC student with a shortlist of `LISTED` for every source. */
async function listedCtc(): Promise<string> {
  const ctc = await weightsOf('ctc');
  const tensors = { common: LISTED, by_source: Array.from({ length: VOCABULARY }, () => [-1]) };
  await writeFile(join(ctc, SHORTLIST_FILE), safetensors({}, 1, tensors));
  return ctc;
}

/** The fast student with the head of the ordinary one; `changed` adds to a weight of it. */
async function sharedHead(changed?: 'head.weight' | 'head.bias'): Promise<string> {
  const folder = await weightsOf('ctc-fast');
  const path = join(folder, 'model.safetensors');
  const bytes = await readFile(path);
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, begin)) as Record<string, { data_offsets: [number, number] }>;
  const ordinary = await openSafetensors({ folder: await weightsOf('ctc'), file: 'model.safetensors' });
  for (const name of ['head.weight', 'head.bias']) {
    const at = begin + (header[name]?.data_offsets[0] ?? Number.NaN);
    bytes.set((await ordinary.get(name)?.read(new Yielder())) ?? [], at);
    if (name === changed) bytes.writeFloatLE(bytes.readFloatLE(at) + 0.5, at);
  }
  await writeFile(path, bytes);
  return folder;
}

/** Whether all blocks compute as fp32, whatever they are asked for. */
const fp32 = vi.hoisted(() => ({ only: false }));

vi.mock('../src/blocks/block-context.js', async (original) => {
  const blocks = await original<typeof import('../src/blocks/block-context.js')>();
  const blockContext: typeof blocks.blockContext = (graph, tensorOf, options) =>
    blocks.blockContext(graph, tensorOf, fp32.only ? { ...options, precision: 'float32' } : options);
  return { ...blocks, blockContext };
});

/** What is emitted while products are computed as fp32, so that what PyTorch computes is met to its last digits. */
async function exactly<Result>(emit: () => Promise<Result>): Promise<Result> {
  fp32.only = true;
  try {
    return await emit();
  } finally {
    fp32.only = false;
  }
}

/** Natural-log probabilities `[frames, VOCABULARY + 1]`, the blank's last. */
async function emitted(folder: string, k = LABELS): Promise<Scores[]> {
  await using model = await loadModel(folder, { probe: false });
  const lattices = (await model.part('lattice', { variant: 'fast' }).emit(SOURCES, { k })) as CtcLattice[];
  return lattices.map(({ frames, tokenIds, logProbs, blankId, blankLogProbs }) =>
    Array.from({ length: frames }, (_, frame) => {
      const scores = new Array<number | null>(VOCABULARY + 1).fill(null);
      for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
        const tokenId = tokenIds[cell];
        scores[tokenId === blankId ? VOCABULARY : tokenId] = logProbs[cell];
      }
      expect(scores[VOCABULARY]).toBe(blankLogProbs[frame]);
      return scores;
    }),
  );
}

/** Largest and root-mean-square difference of two sets of tables that rule out the same. */
function differences(tables: readonly Scores[], wanted: readonly Scores[]): { max: number; usual: number } {
  const [left, right] = [tables, wanted].map((all) => all.flat(2)) as [(number | null)[], (number | null)[]];
  expect(left.map((score) => score === null)).toEqual(right.map((score) => score === null));
  const errors = left.flatMap((score, index) => (score === null ? [] : [score - (right[index] as number)]));
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  return { max: Math.max(...errors.map(Math.abs)), usual: Math.sqrt(squares / errors.length) };
}

const toGoldens = async (folder: string) => differences(await emitted(folder), EXPECTED.ctcFast);

describe('a fast student of its own', () => {
  it('gives the log-probabilities of PyTorch to 1e-4 but for its 8-bit products', async () => {
    expect((await toGoldens(await exactly(fastFolder))).max).toBeLessThan(1e-4);
    // In a network this small a product's rounding weighs much.
    expect((await toGoldens(await fastFolder())).usual).toBeLessThan(0.2);
  });

  it.each<[fault: string, plant: () => Promise<ImportOptions>]>([
    ['an encoder layer fewer', async () => ({ ctcFast: await weightsOf('ctc-fast', { encoder_layers: 0 }) })],
    ['an encoder layer more', async () => ({ ctcFast: await weightsOf('ctc-fast', { encoder_layers: 2 }) })],
    ['a frame layer fewer', async () => ({ ctcFast: await weightsOf('ctc-fast', { draft_frame_layers: 0 }) })],
    ['the head of the ordinary student', async () => ({ ctcFast: await sharedHead() })],
    ['the ordinary student', async () => ({ ctcFast: await weightsOf('ctc', { encoder_layers: 1 }) })],
  ])('would be told from %s', async (_, plant) => {
    const options = await plant();
    expect((await toGoldens(await fastFolder(options))).usual).toBeGreaterThan(0.5);
    expect((await toGoldens(await exactly(() => fastFolder(options)))).usual).toBeGreaterThan(0.5);
  });

  it('scores the shortlist of the ordinary student, with either head', async () => {
    for (const ctcFast of [await weightsOf('ctc-fast'), await sharedHead()]) {
      const [all, some] = await exactly(async () => [
        await fastFolder({ ctcFast }),
        await fastFolder({ ctcFast, ctc: await listedCtc() }),
      ]);
      const wanted = (await emitted(all)).map((table) =>
        table.map((scores) => {
          const listed = scores.map((score, label) => (label === VOCABULARY || LISTED.includes(label) ? score : null));
          const mass = Math.log(listed.reduce<number>((sum, score) => sum + Math.exp(score ?? -Infinity), 0));
          return listed.map((score) => (score === null ? null : score - mass));
        }),
      );
      expect(differences(await emitted(some, LISTED.length + 1), wanted).max).toBeLessThan(1e-4);
    }
  });

  it.each<[weights: 'float32' | 'float16', listed: boolean, bytes: number]>([
    // Width 8 and 10 labels, on multiples of 64 bytes: rows and biases; or products' weights, scales, zeros and biases.
    ['float32', true, 320 + 64],
    ['float16', true, 192 + 64],
    ['float32', false, 128 + 64 + 64 + 64],
    ['float16', false, 128 + 64 + 64 + 64],
  ])('stores a head that is the ordinary one once, as %s, with a shortlist: %s', async (weights, listed, bytes) => {
    const size = async (ctcFast: string) => {
      const ctc = listed ? await listedCtc() : await weightsOf('ctc');
      return (await stat(join(await fastFolder({ weights, ctc, ctcFast }), 'weights.bin'))).size;
    };
    const shared = await size(await sharedHead());
    expect((await size(await weightsOf('ctc-fast'))) - shared).toBe(bytes);
    for (const other of ['head.weight', 'head.bias'] as const) {
      expect((await size(await sharedHead(other))) - shared).toBe(bytes);
    }
  });

  it('keeps 8-bit weights of the layers that it has, and of no other', async () => {
    const layersOf = async (options: ImportOptions) => {
      const spy = vi.spyOn(WeightStore.prototype, 'addInt8');
      try {
        await fastFolder(options);
        const names = spy.mock.calls.map(([name]) => /^(.*layers\.\d+)\./.exec(name)?.[1]);
        return [...new Set(names)].filter((name) => name !== undefined && !name.startsWith('ctc.')).sort();
      } finally {
        spy.mockRestore();
      }
    };
    const own = ['ctcFast.frame_layers.0', 'ctcFast.source_layers.0'];
    expect(await layersOf({})).toEqual(['ctcFast.encoder_layers.0', ...own]);
    expect(await layersOf({ ctcFast: await weightsOf('ctc-fast', { encoder_layers: 0 }) })).toEqual(own);
    const all = ['model.encoder.layers.0', 'model.encoder.layers.1'];
    expect(await layersOf({ ctcFast: await weightsOf('ctc-fast', { encoder_layers: undefined }) })).toEqual([
      ...own,
      ...all,
    ]);
  });
});

describe('a fast student that does not fit', () => {
  it.each<[student: 'ctc' | 'ctc-fast', field: string, received: unknown, required: unknown]>([
    ['ctc-fast', 'encoder_layers', 3, { min: 0, max: 2 }],
    ['ctc-fast', 'encoder_layers', -1, { min: 0, max: 2 }],
    ['ctc-fast', 'encoder_layers', 1.5, { min: 0, max: 2 }],
    ['ctc-fast', 'encoder_layers', '1', { min: 0, max: 2 }],
    ['ctc-fast', 'encoder_layers', null, { min: 0, max: 2 }],
    ['ctc-fast', 'upsample', 2, 3],
    ['ctc-fast', 'model_type', 'foretoken-dag', 'foretoken-ctc'],
    ['ctc', 'encoder_layers', 1, 2],
    ['ctc', 'encoder_layers', 3, { min: 0, max: 2 }],
  ])('is refused by field: %s with %s %j', async (student, field, received, required) => {
    const folder = await weightsOf(student, { [field]: received } satisfies Config);
    const error = await refusal(() => fastFolder({ [student === 'ctc' ? 'ctc' : 'ctcFast']: folder }));
    const details = { file: 'config.json', field, received, required };
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details });
  });

  it('is refused where its head has other tokens, or the same in another order', async () => {
    const tokenIds = [9, 3, 4, 14, 5, 7, 11, 6, 13];
    for (const [other, details] of [
      [[9, 3, 4, 14, 5, 7, 11, 13, 6], { row: 7, received: 13, required: 6 }],
      [[9, 3, 4, 14, 5, 7, 11, 6], { row: 8, received: 'none', required: 13 }],
      [[...tokenIds, 8], { row: 9, received: 8, required: 'none' }],
    ] as const) {
      const ctcFast = await weightsOf('ctc-fast');
      await writeFile(join(ctcFast, 'model.safetensors'), safetensors({}, 1, { 'head.token_ids': other }));
      expect(await refusal(() => fastFolder({ ctcFast }))).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
        details: { field: 'head.token_ids', ...details },
      });
    }
  });

  it('is refused without an ordinary CTC student, and beside a masked language model', async () => {
    const ctcFast = await weightsOf('ctc-fast');
    for (const weights of ['marian', 'masked-lm'] as const) {
      const folder = await weightsOf(weights);
      expect(await refusal(() => imported(folder, { ctcFast }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { option: 'ctcFast', received: ctcFast },
      });
    }
  });
});

it('a CTC student that names all layers of the encoder is an ordinary one', async () => {
  const ctc = await weightsOf('ctc', { encoder_layers: 2 });
  const all = await imported(await weightsOf('marian'), { ctc });
  const absent = await imported(await weightsOf('marian'), { ctc: await weightsOf('ctc') });
  for (const file of ['ctc-fast.onnx', 'weights.bin']) {
    expect(await readFile(join(all, file))).toEqual(await readFile(join(absent, file)));
  }
});
