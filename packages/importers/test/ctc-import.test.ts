import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { BackoffModel, tokenLanguageModel } from '@foretoken/language-models';
import { type CtcInput, type CtcOutput, type FloatSource, type LoadedModel, loadModel } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { latticeModelConformance } from '@foretoken/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { fitLabels } from '../src/adapters/ctc/fit-labels.js';
import { bestClasses } from '../src/adapters/score-values.js';
import { importCtcModel } from '../src/index.js';
import { type CtcFixture, saying, writeCtcGraph } from './ctc-fixture.js';
import { turnsOf } from './turns.js';

type CtcModel = LoadedModel<CtcInput, CtcOutput, FloatSource>;

const LABELS = ['a', 'b', 'c', 'd', 'e'];
const before = openSessions();
let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-ctc-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  expect(openSessions()).toBe(before);
});

async function imported(fixture: CtcFixture, options: Partial<CtcImportOptions> = {}) {
  const target = join(folder, `model-${count++}`);
  const graph = await writeCtcGraph(folder, fixture);
  const manifest = await importCtcModel(graph, target, { dictionary: LABELS, space: 'none', ...options });
  return { target, manifest: manifest as unknown as Record<string, never>, graph };
}

const load = (target: string): Promise<CtcModel> => loadModel<CtcInput, CtcOutput, FloatSource>(target);

async function refusal(fixture: CtcFixture, options: Partial<CtcImportOptions>): Promise<ForetokenError> {
  const error: unknown = await imported(fixture, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!ForetokenError.isInstance(error)) throw error ?? new Error('was imported');
  return error;
}

async function fileOf(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe('a CTC graph of others', () => {
  for (const layout of ['batch-time', 'time-batch'] as const) {
    for (const values of ['logits', 'logProbs', 'probabilities'] as const) {
      for (const blankId of [0, 5]) {
        it(`is understood: ${layout}, ${values}, blank ${blankId}`, async () => {
          const { target, manifest } = await imported({ classes: 6, blankId, layout, values });
          expect(manifest.frames).toMatchObject({ layout, values, batches: 'equal-lengths', stride: 1 });
          expect(manifest.ctc).toMatchObject({ blankId });
          await using model = await load(target);
          const shift = blankId === 0 ? 1 : 0;
          const said = [[0, 0, -1, 0, 4, 4], [-1, 3, -1, -1], [2]].map((ids) =>
            saying(ids.map((id) => (id < 0 ? id : id + shift))),
          );
          const results = await model.decode(said, ctcGreedy<FloatSource>({ alignments: true }));
          expect(results.map(({ text }) => text)).toEqual(['aae', 'd', 'c']);
          for (const confidence of results[0].confidences ?? []) expect(confidence).toBeGreaterThan(0.99);
          const [beam] = await model.decode([said[0]], ctcPrefixBeam<FloatSource>());
          expect(beam.text).toBe('aae');
        });
      }
    }
  }

  it('is read in batches of padded sources only where padding changes nothing', async () => {
    const batches = async (fixture: Partial<CtcFixture>) =>
      (await imported({ classes: 6, blankId: 0, ...fixture })).manifest.frames as { batches: string };
    expect((await batches({ lengths: true })).batches).toBe('padded');
    expect((await batches({ lengths: true, global: true })).batches).toBe('equal-lengths');
    expect((await batches({})).batches).toBe('equal-lengths');
    const told = await refusal({ classes: 6, blankId: 0, lengths: true, global: true }, { batches: 'padded' });
    expect(told).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: 'equal-lengths' } });
  });

  it('takes dictionaries as they come', async () => {
    const vocabulary = { '<pad>': 0, '|': 1, a: 2, b: 3, '<unk>': 4, c: 5 };
    const json = await fileOf('vocab.json', JSON.stringify(vocabulary));
    const speech = await imported({ classes: 6, blankId: 0 }, { dictionary: json, space: undefined });
    await using model = await load(speech.target);
    const { text } = await model.decode(saying([1, 2, 3, 1, 4, 5, 1]), ctcGreedy<FloatSource>());
    expect(text).toBe('ab c');
    const numbered = await fileOf('vocab.txt', ['▁a 0', 'b 1', '▁c 2', '<blk> 3', ''].join('\n'));
    const pieces = await imported({ classes: 4, blankId: 3 }, { dictionary: numbered, space: undefined });
    await using other = await load(pieces.target);
    expect((await other.decode(saying([0, 1, 2]), ctcGreedy<FloatSource>())).text).toBe('ab c');
    const lines = await fileOf('keys.txt', 'a\r\nb\r\n');
    const paddle = await imported({ classes: 4, blankId: 0 }, { dictionary: lines, space: 'last' });
    await using ocr = await load(paddle.target);
    expect((await ocr.decode(saying([1, 3, 2]), ctcGreedy<FloatSource>())).text).toBe('a b');
  });

  it('never shifts a dictionary to make it fit', async () => {
    const fixture = { classes: 6, blankId: 0 };
    for (const space of ['none', 'last', undefined] as const) {
      const fits = space === 'last' ? 4 : 5;
      for (let length = 1; length <= 8; length++) {
        if (length === fits && space !== undefined) continue;
        const dictionary = Array.from({ length }, (_, at) => String.fromCharCode(97 + at));
        const error = await refusal(fixture, { dictionary, space });
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { received: length, required: 6 } });
        expect(error.message).toMatch(new RegExp(`lists ${length} labels and the graph has 6 classes`));
      }
    }
    // As many lines as classes, but none of them the blank.
    expect((await refusal(fixture, { dictionary: ['x', ...LABELS] })).message).toMatch(/a line too many/);
    expect((await refusal(fixture, { dictionary: ['a', 'b', 'c', 'd', 'a'] })).message).toMatch(/listed twice/);
    const json = await fileOf('short.json', JSON.stringify({ '<pad>': 0, a: 1, b: 2, c: 3, d: 4 }));
    expect((await refusal(fixture, { dictionary: json })).code).toBe('INVALID_ARGUMENT');
  });

  it('never puts a second blank into a dictionary that lists one and lacks a line', async () => {
    const short: readonly (readonly [number, readonly string[], Partial<CtcImportOptions>])[] = [
      [0, ['<blank>', ' ', 'a', 'b', 'c'], {}],
      [0, ['<blank>', 'a', 'b', 'c', 'd'], { space: 'none' }],
      [0, ['<blank>', 'a', 'b', 'c'], { space: 'last' }],
      [0, ['<pad>', 'a', 'b', 'c', 'd'], { space: 'none' }],
      [5, [' ', 'a', 'b', 'c', '<blank>'], {}],
      [5, ['a', 'b', 'c', 'd', '[PAD]'], { space: 'none' }],
      [3, ['a', 'b', '<blk>', 'c', 'd'], { space: 'none' }],
      [3, ['a', 'b', 'c', '<blk>', 'd'], { space: 'none' }],
      [3, ['a', 'b', 'c', '<blk>', 'd'], { space: 'none', blank: 3 }],
      [0, ['ε', 'a', 'b', 'c', 'd'], { space: 'none' }],
    ];
    for (const [blankId, dictionary, told] of short) {
      const error = await refusal({ classes: 6, blankId }, { space: undefined, dictionary, ...told });
      expect(error, String(dictionary)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'dictionary' } });
      expect(error.message).toMatch(/is called like the blank, so (?:a line lacks|2 lines lack)\..*list every class/);
    }
    // Names that other classes may have too, away from the blank; and the blank beside padding.
    for (const [blankId, dictionary] of [
      [0, ['α', 'β', 'γ', 'δ', 'ε']],
      [5, ['<pad>', 'a', 'b', 'c', 'd']],
      [0, ['<blank>', '<pad>', 'a', 'b', 'c', 'd']],
    ] as const) {
      const { manifest } = await imported({ classes: 6, blankId }, { dictionary, space: 'none' });
      expect(manifest.ctc).toMatchObject({ blankId });
    }
  });

  it('refuses a blank that is not one, and what it shows to be otherwise', async () => {
    const fixture: CtcFixture = { classes: 6, blankId: 0 };
    for (const blank of [1, 5, 6, '<blank>']) {
      expect(await refusal(fixture, { blank }), String(blank)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect((await refusal(fixture, { blank: 5 })).message).toMatch(/class 0 is the best in 100 %/);
    for (const option of [{ layout: 'time-batch' }, { values: 'probabilities' }] as const) {
      expect(await refusal(fixture, option)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await refusal(fixture, { wordBoundary: '|' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusal(fixture, { blanc: 0 } as never)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusal(fixture, { output: 'logits' })).toMatchObject({ code: 'UNSUPPORTED_MODEL' });
    expect(await refusal(fixture, { dims: [null, 4] })).toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });

  it('refuses sources of other dimensions before it runs', async () => {
    const { target } = await imported({ classes: 6, blankId: 0 }, { maxLength: 50 });
    await using model = await load(target);
    const wrong: [unknown, string][] = [
      [Float32Array.of(1, 2, 3), 'INVALID_ARGUMENT'],
      [{ values: new Float32Array(6), dims: [3, 3] }, 'INVALID_ARGUMENT'],
      [{ values: new Float32Array(6), dims: [3, 2] }, 'INVALID_ARGUMENT'],
      [{ values: new Float32Array(6), dims: [-2, -3] }, 'INVALID_ARGUMENT'],
      [{ values: new Float32Array(0), dims: [0, 3] }, 'EMPTY_SOURCE'],
      [{ values: new Float32Array(153), dims: [51, 3] }, 'SOURCE_TOO_LONG'],
      [{ values: new Float32Array(6).fill(Number.NaN), dims: [2, 3] }, 'INVALID_ARGUMENT'],
      ['a text', 'INVALID_ARGUMENT'],
    ];
    for (const [input, code] of wrong) {
      await expect(model.decode(input as never, ctcGreedy<FloatSource>()), code).rejects.toMatchObject({ code });
    }
  });

  it('reads labels that hold what other programs take for the end of a line', async () => {
    const labels = ['a', 'b\u2028', '\u2029c', 'd\u0085e', 'f\u000b\u000c', '\u00a0'];
    const classes = labels.length + 1;
    const shown = async (name: string, content: string) => {
      const { target } = await imported({ classes, blankId: 0 }, { dictionary: await fileOf(name, content) });
      await using model = await load(target);
      const { text } = await model.decode(saying(labels.map((_, id) => id + 1)), ctcGreedy<FloatSource>());
      return text;
    };
    for (const end of ['\n', '\r\n']) {
      expect(await shown('lines.txt', labels.join(end))).toBe(labels.join(''));
      const numbered = ['<blank>', ...labels].map((label, id) => `${label} ${id}`);
      expect(await shown('vocab.txt', `\ufeff${numbered.join(end)}${end}`)).toBe(labels.join(''));
    }
  });

  it('shows only spaces as cut off around a text', async () => {
    const dictionary = await fileOf('edges.txt', ['\u00a0', 'b', ' '].join('\n'));
    const { target } = await imported({ classes: 4, blankId: 0 }, { dictionary, wordBoundary: ' ', space: undefined });
    await using model = await load(target);
    const { text } = await model.decode(saying([3, 1, 2, 1, 3]), ctcGreedy<FloatSource>());
    expect(text).toBe('\u00a0b\u00a0');
  });

  it('looks every label up once, however many there are', () => {
    const labels = Array.from({ length: 5000 }, (_, at) => `label ${at}`);
    const evidence = { classes: 5001, commonest: 0, share: 1 };
    const searched = [vi.spyOn(Array.prototype, 'indexOf'), vi.spyOn(Array.prototype, 'includes')];
    try {
      const fitted = fitLabels({ labels, from: 'a list', numbered: false }, evidence, { space: 'none' });
      expect(fitted.symbols.target.length).toBe(5001);
      for (const calls of searched) expect(calls.mock.calls.length).toBeLessThan(100);
    } finally {
      vi.restoreAllMocks();
    }
    const twice = { labels: ['', 'x', '', ...labels, 'x'], from: 'a list', numbered: false };
    expect(() => fitLabels(twice, evidence, {})).toThrow(/"x" is listed twice/);
  });

  it('is refused where it gives no scores', async () => {
    for (const values of ['logits', 'logProbs', 'probabilities'] as const) {
      for (const by of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const error = await refusal({ classes: 6, blankId: 0, values, spoilt: { by } }, {});
        expect(error, `${values} ${by}`).toMatchObject({ code: 'UNSUPPORTED_MODEL' });
        expect(error.message).toMatch(/gives no scores: of noise/);
      }
    }
    const one = await refusal({ classes: 6, blankId: 0, spoilt: { by: Number.NaN, of: 4 } }, {});
    expect(one).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'scores of noise' } });
    expect(one.message).toMatch(/class 4 at position 0 is NaN/);
    // A class that is never possible is one that a model may have.
    const never = await imported({ classes: 6, blankId: 0, spoilt: { by: Number.NEGATIVE_INFINITY, of: 4 } });
    expect(never.manifest.ctc).toMatchObject({ blankId: 0 });
  });

  it('ends with the reason of an abort, also where that looks like a fault of the graph', async () => {
    const graph = await writeCtcGraph(folder, { classes: 6, blankId: 0, lengths: true });
    const target = join(folder, 'aborted');
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 50));
    try {
      let stopped = 0;
      for (let at = 0; ; at = Math.ceil(1.4 * at + 1)) {
        const stop = new AbortController();
        const reason = new ForetokenError('RUNTIME_FAILURE', 'enough', {});
        const { signal } = stop;
        let looks = 0;
        const { throwIfAborted } = signal;
        vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
          if (looks++ === at) stop.abort(reason);
          throwIfAborted.call(signal);
        });
        const options = { dictionary: LABELS, space: 'none', signal, replace: true } as const;
        const error = await importCtcModel(graph, target, options).then(
          () => undefined,
          (failure: unknown) => failure,
        );
        if (error === undefined) break;
        expect(error, `look ${at}`).toBe(reason);
        stopped++;
      }
      expect(stopped).toBeGreaterThan(8);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('lets others have their turn between frames, when it is imported and when it is used', async () => {
    const graph = await writeCtcGraph(folder, { classes: 6, blankId: 0 });
    const target = join(folder, 'turns');
    const imports = await turnsOf(
      async () => void (await importCtcModel(graph, target, { dictionary: LABELS, space: 'none' })),
    );
    // Best classes, and what the scores are, of 320 frames of noise and as many of silence.
    expect(imports).toBeGreaterThan(1280);
    await using model = await load(target);
    const lattices = model.part('lattice');
    const frames = 500;
    const source = { values: new Float32Array(3 * frames), dims: [frames, 3] };
    const turns = await turnsOf(async () => void (await lattices.emit([source], { k: 2 })));
    expect(turns).toBeGreaterThan(frames);
  });

  it('takes classes beyond what fits as arguments of a call', () => {
    const size = 300_000;
    const data = new Float32Array(2 * size);
    data[size - 1] = data[size + 7] = 1;
    const steps = bestClasses({ data, size, of: 'noise' }, { folder: '.', file: 'wide.onnx' });
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect([...step.value]).toEqual([size - 1, 7]);
  });

  it('says where a source is no number, and what is wrong with odd ones', async () => {
    const { target } = await imported({ classes: 6, blankId: 0 });
    await using model = await load(target);
    const decode = (input: unknown) => model.decode(input as FloatSource, ctcGreedy<FloatSource>());
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const values = new Float32Array(30);
      values[22] = wrong;
      const both = model.part('lattice').emit([saying([1]), { values, dims: [10, 3] }]);
      await expect(both).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { row: 1, position: [7, 1], received: wrong },
      });
    }
    const values = new Float32Array(6);
    const cycle: unknown[] = [2, 3];
    cycle[0] = cycle;
    const hole: number[] = [];
    hole[1] = 3;
    const dims = [
      [Symbol('two'), 3],
      [2n, 3],
      cycle,
      hole,
      [{ toString: null }, 3],
      [Number.NaN, 3],
      ['2', 3],
      new Array(9e5),
    ];
    for (const [at, wrong] of dims.entries()) {
      const error = await decode({ values, dims: wrong }).catch((failure: unknown) => failure);
      expect(error, `dims ${at}`).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect((error as Error).message.length).toBeLessThan(600);
    }
    const getter = {
      values,
      get dims(): number[] {
        throw new Error('not now');
      },
    };
    await expect(decode(getter)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const given = new Float32Array(6);
    const emitting = model.part('lattice').emit([{ values: given, dims: [2, 3] }]);
    structuredClone(given, { transfer: [given.buffer] });
    await expect(emitting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is searched with a language model of its labels', async () => {
    const { target } = await imported({ classes: 6, blankId: 0 });
    await using model = await load(target);
    // Halfway between two labels.
    const [one, other] = [saying([1, -1, 2]), saying([1, -1, 3])];
    const unsure = { dims: one.dims, values: one.values.map((value, at) => (value + 0.98 * other.values[at]) / 2) };
    const words = ['<blank>', ...LABELS];
    const bigram = (text: string, logProb: number) => ({
      words: [...text].map((label) => words.indexOf(label)),
      logProb,
    });
    const grams = [
      ...words.map((_, id) => ({ words: [id], logProb: -5, backoff: 0 })),
      bigram('ac', -0.1),
      bigram('ab', -9),
    ];
    const labels = new BackoffModel(words, grams);
    const languageModel = { model: tokenLanguageModel(labels, (tokenId) => words[tokenId]), weight: 1 };
    const plain = await model.decode(unsure, ctcPrefixBeam<FloatSource>());
    const led = await model.decode(unsure, ctcPrefixBeam<FloatSource>({ languageModel }));
    expect([plain.text, led.text]).toEqual(['ab', 'ac']);
  });

  it('meets damaged files with typed errors', async () => {
    const target = join(folder, 'never');
    const bytes = await readFile(await writeCtcGraph(folder, { classes: 6, blankId: 0, lengths: true }));
    const file = join(folder, 'damaged.onnx');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), async (at, value, cut) => {
        const damaged = cut ? bytes.subarray(0, at) : Uint8Array.from(bytes);
        if (!cut) damaged[at] = value;
        await writeFile(file, damaged);
        try {
          await importCtcModel(file, target, { dictionary: LABELS, space: 'none', replace: true });
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
        }
      }),
      { seed: 15, numRuns: 120 },
    );
    for (const content of ['version https://git-lfs.github.com/spec/v1', '<!DOCTYPE html>', '']) {
      await writeFile(file, content);
      const wrong = importCtcModel(file, join(folder, 'never-2'), { dictionary: LABELS });
      await expect(wrong).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
    }
    for (const content of [
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 98\n',
      '<!DOCTYPE html>\n',
    ]) {
      const dictionary = await fileOf('foreign.txt', content);
      expect(await refusal({ classes: 6, blankId: 0 }, { dictionary }), content).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
        message: expect.stringMatching(/git lfs pull|web page/),
      });
    }
    for (const content of ['{', '[1]', '"a"', '{"a":0,"b":0}', '{"a":-1}', '{"a":1}']) {
      const dictionary = await fileOf('damaged.json', content);
      expect(await refusal({ classes: 6, blankId: 0 }, { dictionary }), content).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
      });
    }
  });
});

describe('the folder of such a graph', () => {
  const model = { current: undefined as CtcModel | undefined };
  beforeAll(async () => {
    model.current = await load((await imported({ classes: 6, blankId: 0, lengths: true })).target);
  });
  afterAll(() => model.current?.dispose());

  latticeModelConformance({
    runner: { describe, it },
    name: 'a CTC graph of others',
    createModel: () => (model.current as CtcModel).part('lattice') as never,
    sources: [saying([1, -1, 2, 2]), saying([4]), saying([0, 3, -1, 5, 2, 1, 1])] as never,
    tolerance: 1e-5,
    emptySource: saying([]),
  });
});
