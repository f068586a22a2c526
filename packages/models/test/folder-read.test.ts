import { link, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkManifest, parseManifest } from '../src/folder/check-manifest.js';
import { sha256 } from '../src/io/sha256.js';
import { fileSystem } from '../src/node/file-system.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { editManifest, MANIFEST, modelFolder, refusal } from './folder-fixtures.js';

const DIGEST = 'a'.repeat(64);

const FILES_OF_MANIFEST = Object.fromEntries(
  ['encoder.onnx', 'graphs/step.onnx', 'tokenizer.json'].map((name) => [name, { bytes: 1, sha256: DIGEST }]),
);

describe('a sound folder', () => {
  test('opens, and gives paths and text of listed files only', async () => {
    const path = await modelFolder();
    const folder = await openModelFolder(path);
    expect(folder.manifest).toMatchObject(MANIFEST);
    expect(folder.filePath('graphs/step.onnx')).toBe(join(folder.path, 'graphs/step.onnx'));
    expect(await folder.readText('tokenizer.json')).toBe('{"grüße": 1}');
    for (const name of ['README.md', '../model/encoder.onnx', '__proto__', 'foretoken.json']) {
      expect(await refusal(() => folder.filePath(name))).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
        details: { file: name },
      });
      expect((await refusal(() => folder.readText(name))).code).toBe('INVALID_MODEL_FOLDER');
    }
  });

  test('may be named by a symbolic link, hold hard links as package managers make them, and unlisted files', async () => {
    const path = await modelFolder();
    await writeFile(join(path, 'README.md'), 'A model.');
    await link(join(path, 'encoder.onnx'), join(path, '..', 'elsewhere.onnx'));
    await symlink(path, join(path, '..', 'alias'));
    expect((await openModelFolder(join(path, '..', 'alias'))).manifest.name).toBe('tiny');
  });

  test('text that changed after the check is refused when it is read', async () => {
    const path = await modelFolder();
    const folder = await openModelFolder(path);
    await writeFile(join(path, 'tokenizer.json'), '{"grüsse":1}');
    expect(await refusal(() => folder.readText('tokenizer.json'))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'tokenizer.json' },
    });
  });

  test('the digest of "abc" is the published one, whether made in pieces or by WebCrypto', async () => {
    const hasher = fileSystem('/').hasher?.();
    for (const letter of 'abc') hasher?.update(new TextEncoder().encode(letter));
    const published = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect([hasher?.digest(), await sha256(new TextEncoder().encode('abc'))]).toEqual([published, published]);
  });
});

describe('a folder or manifest that cannot be read', () => {
  test('missing folder, a file instead of one, bad paths', async () => {
    const path = await modelFolder();
    const missing = await refusal(() => openModelFolder(join(path, 'nowhere')));
    expect(missing).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { folder: join(path, 'nowhere') } });
    expect(missing.message).toContain('does not exist');
    expect((await refusal(() => openModelFolder(join(path, 'weights.bin')))).message).toContain('is a file');
    for (const bad of ['', 'a\0b', 7 as unknown as string]) {
      expect((await refusal(() => openModelFolder(bad))).code).toBe('INVALID_ARGUMENT');
    }
  });

  test.each([
    ['missing', async (file: string) => rm(file), 'is missing'],
    [
      'a folder',
      async (file: string) => {
        await rm(file);
        await mkdir(file);
      },
      'a folder',
    ],
    [
      'a link',
      async (file: string) => {
        await rename(file, `${file}.x`);
        await symlink(`${file}.x`, file);
      },
      'link',
    ],
    ['over 1 MB', async (file: string) => truncate(file, 1024 ** 2 + 1), 'at most 1048576'],
    ['empty', async (file: string) => writeFile(file, ''), 'it is empty'],
    ['not JSON', async (file: string) => writeFile(file, '{\n  "format": }'), 'unexpected "}" at line 2, column 13'],
    ['not UTF-8', async (file: string) => writeFile(file, Uint8Array.of(0x7b, 0xff, 0x7d)), 'UTF-8'],
    ['not an object', async (file: string) => writeFile(file, '[1]'), 'a JSON object'],
    ['a million brackets', async (file: string) => writeFile(file, '['.repeat(1_000_000)), 'ends too early'],
  ])('manifest %s', async (_, damage, words) => {
    const path = await modelFolder();
    await damage(join(path, 'foretoken.json'));
    const error = await refusal(() => openModelFolder(path));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json' } });
    expect(error.message).toContain('foretoken.json');
    expect(error.message).toContain(words);
  });
});

describe('hostile manifests', () => {
  test('facts nested too deep to be read again are refused when they are written', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
    const written = (depth: number) => ({ ...MANIFEST, files: FILES_OF_MANIFEST, training: nested(depth) });
    const text = JSON.stringify(await checkManifest(written(199), 'folder'));
    expect((await parseManifest(text, 'folder')).training).toEqual(nested(199));
    const error = await refusal(() => checkManifest(written(200), 'folder'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'training' } });
  });

  test.each<[field: string, value: unknown]>([
    ['format', 'other-model'],
    ['format', undefined],
    ['formatVersion', '1'],
    ['formatVersion', 0],
    ['formatVersion', 1.5],
    ['family', 3],
    ['name', ''],
    ['name', 'evil\u001b[2Jname'],
    ['name', 'x'.repeat(201)],
    ['licence', null],
    ['description', 'right\u202eleft'],
    ['surprise', 1],
    ['vocabulary.surprise', 1],
    ['vocabulary', []],
    ['vocabulary.size', 1_000_001],
    ['vocabulary.size', 2 ** 53],
    ['vocabulary.size', -1],
    ['vocabulary.size', '12'],
    ['vocabulary.endTokenId', 12],
    ['vocabulary.startTokenId', -1],
    ['vocabulary.padTokenId', 99],
    ['vocabulary.unknownTokenId', 1.5],
    ['limits.sourceLength', 65_537],
    ['limits.targetLength', 0],
    ['architecture.width', 65_537],
    ['architecture.heads', 3],
    ['architecture.encoderLayers', 257],
    ['architecture.decoderLayers', 1e9],
    ['graphs.step', {}],
    ['graphs.step.argmax', undefined],
    ['graphs.step.argmax', 'unlisted.onnx'],
    ['graphs.step.logits', 'unlisted.onnx'],
    ['graphs.step.surprise', 'encoder.onnx'],
    ['graphs.step', { body: 'graphs/step.onnx' }],
    ['graphs.step', { body: 'graphs/step.onnx', vocabulary: 'unlisted.onnx' }],
    ['graphs.step', { body: 'graphs/step.onnx', vocabulary: 'encoder.onnx', argmax: 'encoder.onnx' }],
    ['graphs.step', { argmax: 'graphs/step.onnx', vocabulary: 'encoder.onnx' }],
    ['graphs.step', { body: 1, vocabulary: 2 }],
    ['tokenizer', 'unlisted.json'],
    ['ctc', { blankId: 0, upsample: 2, maxCandidates: 4 }],
    ['step', { maxCandidates: 13 }],
    ['step', { maxCandidates: 0 }],
    ['files', []],
    ['files', undefined],
    ['training', 'much'],
  ])('%s = %j names the field', async (field, value) => {
    const path = await modelFolder();
    await editManifest(path, field.split('.'), value);
    const error = await refusal(() => openModelFolder(path));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json' } });
    // What is missing may be the other half of a pair.
    const expected = field === 'ctc' ? 'graphs.ctc' : field;
    expect(String(error.details.field).startsWith(expected)).toBe(true);
    expect(error.message).toContain(expected);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  test.each<[keys: string[], value: unknown]>([
    [['files', 'weights.bin', 'bytes'], 16 * 1024 ** 3 + 1],
    [['files', 'weights.bin', 'bytes'], -1],
    [['files', 'tokenizer.json', 'bytes'], 64 * 1024 ** 2 + 1],
    [['files', 'weights.bin', 'sha256'], DIGEST.toUpperCase()],
    [['files', 'weights.bin', 'sha256'], 'ab'],
    [['files', 'weights.bin', 'surprise'], true],
  ])('%j = %j is refused before the file is read', async (keys, value) => {
    const path = await modelFolder();
    await editManifest(path, keys, value);
    const error = await refusal(() => openModelFolder(path));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.details.field).toBe(keys.join('.'));
  });

  test('a graph for CTC or top-k without its block is refused, and so are more than 1000 files', async () => {
    const path = await modelFolder();
    await editManifest(path, ['graphs', 'ctc'], 'encoder.onnx');
    expect((await refusal(() => openModelFolder(path))).details.field).toBe('ctc');
    await editManifest(path, ['graphs', 'ctc'], undefined);
    await editManifest(path, ['graphs', 'step', 'topK'], 'encoder.onnx');
    expect((await refusal(() => openModelFolder(path))).details.field).toBe('step');
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, { bytes: 1, sha256: DIGEST }]));
    await editManifest(path, ['files'], many);
    expect((await refusal(() => openModelFolder(path))).details).toMatchObject({ field: 'files', received: 1001 });
  });

  test('facts about the training may be nested, but not without end', async () => {
    const path = await modelFolder();
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    await editManifest(path, ['training'], { deep: nested(150) });
    expect((await openModelFolder(path)).manifest.training).toEqual({ deep: nested(150) });
    const file = join(path, 'foretoken.json');
    for (const depth of [210, 5000, 100_000]) {
      const deep = `${'['.repeat(depth)}1${']'.repeat(depth)}`;
      // By hand: JSON.stringify could not.
      const text = (await readFile(file, 'utf8')).replace(
        /"training":.*\}(?=,"files"|\}$)/s,
        `"training":{"deep":${deep}}`,
      );
      await writeFile(file, text);
      const error = await refusal(() => openModelFolder(path));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'foretoken.json' } });
      expect(error.message).toContain('200 deep');
    }
  });

  test('a newer release or an unknown family asks for an upgrade, whatever else the manifest holds', async () => {
    for (const [field, value] of [
      ['formatVersion', 2],
      ['family', 'llama'],
    ] as const) {
      const path = await modelFolder();
      await editManifest(path, [field], value);
      await editManifest(path, ['newThing'], {});
      const error = await refusal(() => openModelFolder(path));
      expect(error).toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        details: { file: 'foretoken.json', field, received: value },
      });
      expect(error.message).toContain('Upgrade @foretoken/models');
    }
  });

  test('any JSON in any place is either a valid manifest or a typed refusal', async () => {
    const record = { bytes: 1, sha256: DIGEST };
    const files = { 'encoder.onnx': record, 'graphs/step.onnx': record, 'tokenizer.json': record };
    const paths = [
      ...Object.keys(MANIFEST).map((key) => [key]),
      ...(['vocabulary', 'limits', 'architecture', 'graphs'] as const).flatMap((key) =>
        Object.keys(MANIFEST[key]).map((inner) => [key, inner]),
      ),
      ...Object.keys(files).map((name) => ['files', name]),
    ];
    const outcomes = { valid: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), async (path, value) => {
        const manifest = structuredClone({ ...MANIFEST, files }) as unknown as Record<string, unknown>;
        const owner = (path.length === 1 ? manifest : manifest[path[0]]) as Record<string, unknown>;
        owner[path.at(-1) as string] = value;
        try {
          await checkManifest(manifest, 'folder');
          outcomes.valid++;
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/),
            details: { file: 'foretoken.json', field: expect.any(String) },
          });
          outcomes.refused++;
        }
      }),
      { numRuns: 2000 },
    );
    expect(outcomes.refused).toBeGreaterThan(1000);
  });
});
