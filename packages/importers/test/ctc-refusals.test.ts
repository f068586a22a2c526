import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { FloatSource } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { importCtcModel, importModel } from '../src/index.js';
import { type CtcFixture, saying, writeCtcGraph } from './ctc-fixture.js';
import { fileOf, folder, imported, LABELS, load, refusal } from './ctc-folders.js';

describe('a CTC graph of others that is not what it should be', () => {
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

  it('refuses a space that fits in no way, and says how it may, and where a line is empty', async () => {
    const fixture = { classes: 6, blankId: 0 };
    const cases: readonly (readonly [string, 'last' | undefined, RegExp])[] = [
      ['a\nb\nc\n \n', undefined, /English dictionaries of PaddleOCR.*tell space: "last"/],
      ['a\nb\nc\nd\n \n', 'last', /it lists a space, but a space at the end was told/],
      ['a\n \nb\nc\n', 'last', /it lists a space, but a space at the end was told/],
      ['a\nb\n \n', 'last', /it lists a space, but a space at the end was told/],
      ['a\nb\nc\nd\ne\n\n', undefined, /label 6 is empty, which stands for the blank, but class 5 is not the blank/],
      ['a\n\nb\nc\nd\n', undefined, /label 2 is empty, which stands for the blank, so a line lacks/],
    ];
    for (const [content, space, message] of cases) {
      const dictionary = await fileOf('spaces.txt', content);
      expect((await refusal(fixture, { dictionary, space })).message, content).toMatch(message);
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

  it('is what weights of such a model must be exported to', async () => {
    for (const [files, message] of [
      [['model.safetensors', 'vocab.json'], /"Wav2Vec2ForCTC", a CTC model.*optimum-cli export onnx.*vocab\.json\.$/],
      [['pytorch_model.bin'], /optimum-cli export onnx/],
      [['model.safetensors', 'adapter.fra.bin', 'adapter.deu.safetensors'], /target_lang="deu".*--language deu\.$/],
    ] as const) {
      const weights = await mkdtemp(join(folder, 'weights-'));
      await writeFile(join(weights, 'config.json'), '{"model_type":"wav2vec2","architectures":["Wav2Vec2ForCTC"]}');
      for (const name of files) await writeFile(join(weights, name), '');
      const importing = importModel(weights, join(folder, 'never'));
      await expect(importing).rejects.toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringMatching(message),
        details: { file: 'config.json', field: 'architectures', received: 'Wav2Vec2ForCTC' },
      });
    }
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
    for (const content of ['{', '[1]', '"a"', '{"a":0,"b":0}', '{"a":-1}', '{"a":1e9}', '{"a":0,"b":{}}']) {
      const dictionary = await fileOf('damaged.json', content);
      expect(await refusal({ classes: 6, blankId: 0 }, { dictionary }), content).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
      });
    }
  });
});
