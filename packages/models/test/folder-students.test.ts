import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSessions } from '@foretoken/core/runtime';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkManifest } from '../src/folder/check-manifest.js';
import { loadModel } from '../src/index.js';
import { editManifest, refusal, temporaryFolder } from './folder-fixtures.js';
import { hintsFolder, imported, type StudentName, studentsFolder, weightsOf } from './student-fixtures.js';

type Json = Record<string, unknown>;

let students: Json;
let readers: Json;
let masked: Json;
beforeAll(async () => {
  const read = async (folder: string) => JSON.parse(await readFile(join(folder, 'foretoken.json'), 'utf8')) as Json;
  students = await read(await studentsFolder());
  readers = await read(await hintsFolder());
  masked = await read(await imported(await weightsOf('masked-lm')));
});

/** A copy with one field set, named by its keys; undefined removes it. */
function changed(manifest: Json, field: string, value: unknown): Json {
  const copy = structuredClone(manifest);
  const keys = field.split('.');
  const owner = keys.slice(0, -1).reduce((part, key) => part[key] as Json, copy);
  if (value === undefined) delete owner[keys.at(-1) as string];
  else owner[keys.at(-1) as string] = value;
  return copy;
}

const UNLISTED = 'unlisted.onnx';

describe('manifests of students', () => {
  test('are sound as imported, with any of the students', async () => {
    expect(await checkManifest(students, 'folder')).toEqual(students);
    for (const student of ['canvas', 'dag', 'edit']) {
      const without = changed(changed(students, student, undefined), `graphs.${student}`, undefined);
      expect(await checkManifest(without, 'folder')).toEqual(without);
    }
    expect(await checkManifest(masked, 'folder')).toEqual(masked);
    expect(await checkManifest(readers, 'folder')).toEqual(readers);
  });

  test.each<[field: string, value: unknown, named?: string]>([
    ['canvas', undefined],
    ['graphs.canvas', undefined],
    ['graphs.canvas.open', undefined],
    ['graphs.canvas.open', UNLISTED],
    ['graphs.canvas.fill', {}, 'graphs.canvas.fill.topK'],
    ['graphs.canvas.fill.topK', '../outside.onnx'],
    ['graphs.canvas.fill.logProbs', UNLISTED],
    ['graphs.canvas.fill.logits', 'canvas-fill-top-k.onnx'],
    ['canvas.maskTokenId', 17],
    ['canvas.maskTokenId', 2],
    ['canvas.layers', 0],
    ['canvas.maxLength', 65_537],
    ['canvas.maxCandidates', 18],
    ['graphs.canvas.openHints', 'canvas-open.onnx', 'ctc'],
    ['canvas.lengths.classes', 0],
    ['canvas.lengths.offset', -1],
    ['canvas.lengths.surprise', 1],
    ['canvas.surprise', 1],
    ['dag', undefined],
    ['graphs.dag', undefined],
    ['graphs.dag', UNLISTED],
    ['dag.startTokenId', 17],
    ['dag.startTokenId', 2],
    ['dag.upsample', 65],
    ['dag.maxCandidates', 18],
    ['edit', undefined],
    ['graphs.edit', undefined],
    ['graphs.edit.deletions', undefined],
    ['graphs.edit.placeholders', UNLISTED],
    ['graphs.edit.fill.argmax', UNLISTED],
    ['edit.placeholderTokenId', 17],
    ['edit.placeholderTokenId', 16, 'edit.startTokenId'],
    ['edit.placeholderTokenId', 2],
    ['edit.startTokenId', 2],
    ['edit.maxLength', 1],
    ['edit.maxCandidates', 0],
    ['graphs.edit.openHints', true],
    ['graphs.edit.openHints', 'edit-open.onnx', 'ctc'],
  ])('%s = %j names the field', async (field, value, named = field) => {
    const error = await refusal(() => checkManifest(changed(students, field, value), 'folder'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json', field: named } });
    expect(error.message).toContain(named);
  });

  test('name a graph for hints that is not listed', async () => {
    const error = await refusal(() => checkManifest(changed(readers, 'graphs.canvas.openHints', UNLISTED), 'folder'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'graphs.canvas.openHints' } });
  });

  test.each<[field: string, value: unknown]>([
    ['canvas', undefined],
    ['canvas.maskTokenId', 2],
    ['canvas.maskTokenId', 17],
    ['canvas.maxCandidates', 18],
    ['canvas.lengths', { classes: 8, offset: 4 }],
    ['graphs.openHints', 'canvas-fill-top-k.onnx'],
    ['graphs.fill', undefined],
    ['graphs.fill.topK', undefined],
    ['graphs.fill.argmax', UNLISTED],
    ['graphs.encoder', 'canvas-fill-top-k.onnx'],
    ['architecture.heads', 3],
    ['architecture.encoderLayers', 2],
    ['vocabulary.startTokenId', 3],
    ['dag', { startTokenId: 16, upsample: 2, maxCandidates: 2 }],
  ])('of a masked language model: %s = %j names the field', async (field, value) => {
    const error = await refusal(() => checkManifest(changed(masked, field, value), 'folder'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json', field } });
  });

  test('of one family are not those of the other', async () => {
    for (const manifest of [changed(students, 'family', 'masked-lm'), changed(masked, 'family', 'marian')]) {
      expect((await refusal(() => checkManifest(manifest, 'folder'))).code).toBe('INVALID_MODEL_FOLDER');
    }
  });
});

describe('graphs that do not fit their manifest', () => {
  test.each<[what: string, field: string, value: unknown, file: string]>([
    ['no length head', 'graphs.canvas.open', 'edit-open.onnx', 'edit-open.onnx'],
    ['an unexpected length head', 'canvas.lengths', undefined, 'canvas-open.onnx'],
    ['other length classes', 'canvas.lengths.classes', 9, 'canvas-open.onnx'],
    ['other layers', 'canvas.layers', 3, 'canvas-open.onnx'],
    ['another head', 'graphs.canvas.fill.topK', 'canvas-fill-argmax.onnx', 'canvas-fill-argmax.onnx'],
    ['an input more', 'graphs.canvas.fill.logProbs', 'canvas-fill-top-k.onnx', 'canvas-fill-top-k.onnx'],
    ['no transitions', 'graphs.dag', 'encoder.onnx', 'encoder.onnx'],
    ['no deletions', 'graphs.edit.deletions', 'edit-placeholders.onnx', 'edit-placeholders.onnx'],
    ['no placeholders', 'graphs.edit.placeholders', 'edit-deletions.onnx', 'edit-deletions.onnx'],
    ['edits of other layers', 'edit.layers', 1, 'edit-open.onnx'],
    ['no graph at all', 'graphs.edit.open', 'weights.bin', 'weights.bin'],
  ])('%s', async (_, field, value, file) => {
    const folder = await studentsFolder();
    await editManifest(folder, field.split('.'), value);
    const error = await refusal(() => loadModel(folder, { probe: false }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(openSessions()).toBe(0);
  });

  test.each<[what: string, path: string[], value: unknown, file: string]>([
    ['unexpected hints', ['graphs', 'canvas', 'openHints'], undefined, 'canvas-open.onnx'],
    ['unexpected hints of edits', ['graphs', 'edit', 'openHints'], undefined, 'edit-open.onnx'],
    ['no lengths', ['graphs', 'canvas', 'open'], 'edit-open.onnx', 'edit-open.onnx'],
    ['hints that are not given', ['graphs', 'edit', 'openHints'], 'edit-open.onnx', 'edit-open.onnx'],
    ['hints that are', ['graphs', 'edit', 'open'], 'edit-open-hints.onnx', 'edit-open-hints.onnx'],
    [
      'canvases without hints',
      ['graphs', 'canvas', 'fill', 'topK'],
      'canvas-fill-argmax.onnx',
      'canvas-fill-argmax.onnx',
    ],
  ])('%s', async (_, path, value, file) => {
    const folder = await hintsFolder();
    await editManifest(folder, path, value);
    const error = await refusal(() => loadModel(folder, { probe: false }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(openSessions()).toBe(0);
  });

  test.each([
    ['canvas', 'canvas-open.onnx'],
    ['edit', 'edit-open.onnx'],
  ])('no hints for %s', async (student, file) => {
    const folder = await studentsFolder({ ctc: await weightsOf('ctc') });
    await editManifest(folder, ['graphs', student, 'openHints'], file);
    const error = await refusal(() => loadModel(folder, { probe: false }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(openSessions()).toBe(0);
  });

  test.each<[field: string, value: unknown]>([
    ['graphs.fill.argmax', 'canvas-fill-top-k.onnx'],
    ['graphs.fill.topK', 'canvas-fill-log-probs.onnx'],
    ['vocabulary.size', 18],
  ])('of a masked language model: %s = %j', async (field, value) => {
    const folder = await imported(await weightsOf('masked-lm'));
    await editManifest(folder, field.split('.'), value);
    const error = await refusal(() => loadModel(folder));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('does not fit its manifest');
  });
});

describe('weights folders of students', () => {
  test.each<[student: 'canvas' | 'dag' | 'edit', field: string, value: unknown]>([
    ['canvas', 'model_type', 'foretoken-edit'],
    ['canvas', 'd_model', 16],
    ['canvas', 'vocab_size', 18],
    ['canvas', 'cross_attention', false],
    ['canvas', 'mask_token_id', 17],
    ['canvas', 'layers', 0],
    ['canvas', 'attention_heads', 3],
    ['canvas', 'activation_function', 'relu'],
    ['canvas', 'length_classes', -1],
    ['canvas', 'length_offset', undefined],
    ['dag', 'model_type', 'foretoken-ctc'],
    ['dag', 'upsample', 0],
    ['dag', 'link_heads', 3],
    ['dag', 'start_token_id', undefined],
    ['edit', 'model_type', 'foretoken-canvas'],
    ['edit', 'max_placeholders', 0],
    ['edit', 'start_token_id', 17],
  ])('a %s student whose %s is %j is refused by field', async (student, field, value) => {
    const weights = await weightsOf('marian');
    const folder = await weightsOf(student, { [field]: value });
    const error = await refusal(async () =>
      importModel(weights, join(await temporaryFolder(), 'model'), { [student]: folder }),
    );
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'config.json', field } });
  });

  test.each<[student: 'canvas' | 'dag' | 'edit', field: string, value: unknown, tensor: string]>([
    ['canvas', 'layers', 3, 'layers.2.encoder_attn.k_proj.weight'],
    ['canvas', 'length_classes', 9, 'length.out.weight'],
    ['canvas', 'ffn_dim', 13, 'layers.0.fc1.weight'],
    ['dag', 'upsample', 2, 'upsample.weight'],
    ['dag', 'link_heads', 4, 'links.gate.weight'],
    ['edit', 'max_placeholders', 4, 'placeholder.weight'],
  ])('a %s student whose weights do not have %s %j is refused by tensor', async (student, field, value, tensor) => {
    const weights = await weightsOf('marian');
    const folder = await weightsOf(student, { [field]: value });
    const error = await refusal(async () =>
      importModel(weights, join(await temporaryFolder(), 'model'), { [student]: folder }),
    );
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.safetensors' } });
    expect(String(error.details.field)).toBe(tensor);
  });

  test.each(['canvas', 'edit'] as const)(
    'a %s student reads the hints of the CTC student given along',
    async (name) => {
      const refused = async (readsHints: unknown, options: ImportOptions = {}) => {
        const [weights, folder] = [
          await weightsOf('marian'),
          await weightsOf(`${name}-hints`, { reads_hints: readsHints }),
        ];
        const target = join(await temporaryFolder(), 'model');
        const error = await refusal(() => importModel(weights, target, { ...options, [name]: folder }));
        const details = { file: 'config.json', field: 'reads_hints', received: readsHints };
        expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details });
        return error.message;
      };
      expect(await refused(true)).toContain('reads_hints = true, but a student that reads hints needs the CTC student');
      const ctc = await weightsOf('ctc');
      for (const wrong of [1, 'true', null]) expect(await refused(wrong, { ctc })).toContain('needs true or false');
    },
  );

  test('the lengths of a student that reads hints are told as positions', async () => {
    const canvas = await weightsOf('canvas-hints', { length_classes: 13 });
    const error = await refusal(() => hintsFolder({ canvas }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'length_classes', received: 13 } });
  });

  test('a masked language model reads no hints', async () => {
    const weights = await weightsOf('masked-lm', { reads_hints: true });
    expect(await refusal(() => imported(weights))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'config.json', field: 'reads_hints', received: true, required: false },
    });
    await imported(await weightsOf('masked-lm', { reads_hints: false }));
  });

  test('a student is no model by itself, and a masked language model takes neither students nor a layout of steps', async () => {
    for (const name of ['canvas', 'dag', 'edit'] as const satisfies readonly StudentName[]) {
      const weights = await weightsOf(name);
      expect((await refusal(() => imported(weights))).code).toBe('UNSUPPORTED_MODEL');
    }
    const [weights, edit] = [await weightsOf('masked-lm'), await weightsOf('edit')];
    expect(await refusal(() => imported(weights, { edit }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'edit' },
    });
    expect(await refusal(() => imported(weights, { stepLayout: 'body' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'stepLayout', received: 'body' },
    });
  });
});
