import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeModelFolder } from '../src/folder/write-folder.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { FILES, MANIFEST, modelFolder, refusal, temporaryFolder } from './folder-fixtures.js';

/** Every file below a folder with its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const files: Record<string, string> = {};
  for (const name of names.sort()) {
    const path = join(folder, name);
    files[name] = (await stat(path)).isFile() ? (await readFile(path)).toString('latin1') : 'folder';
  }
  return files;
}

describe('writing a model folder', () => {
  test('what was written opens with the same content, and twice gives the same bytes', async () => {
    const parent = await temporaryFolder();
    const first = await writeModelFolder(join(parent, 'deep', 'first'), MANIFEST, FILES);
    await writeModelFolder(join(parent, 'deep', 'second'), MANIFEST, new Map([...FILES].reverse()));
    expect((await openModelFolder(join(parent, 'deep', 'first'))).manifest).toEqual(first);
    expect(first.files['encoder.onnx']).toEqual({
      bytes: 3,
      sha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81',
    });
    expect(await contents(join(parent, 'deep', 'first'))).toEqual(await contents(join(parent, 'deep', 'second')));
    expect(await readdir(join(parent, 'deep'))).toEqual(['first', 'second']);
  });

  test('an empty folder is filled', async () => {
    const target = await temporaryFolder();
    await writeModelFolder(target, MANIFEST, FILES);
    expect((await openModelFolder(target)).manifest.name).toBe('tiny');
  });

  test('an existing model is refused, and replaced only when asked for', async () => {
    const target = await modelFolder();
    const before = await contents(target);
    const other = { ...MANIFEST, name: 'other' };
    const error = await refusal(() => writeModelFolder(target, other, FILES));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'target', received: target } });
    expect(await contents(target)).toEqual(before);
    await writeModelFolder(target, other, FILES, { replace: true });
    expect((await openModelFolder(target)).manifest.name).toBe('other');
    expect(await readdir(join(target, '..'))).toEqual(['model']);
  });

  test('what is not a model is never replaced', async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, 'photos'));
    await writeFile(join(parent, 'photos', 'cat.jpg'), 'cat');
    await writeFile(join(parent, 'file'), 'x');
    await symlink(await modelFolder(), join(parent, 'link'));
    const before = await contents(parent);
    for (const name of ['photos', 'file', 'link', 'file/below']) {
      const error = await refusal(() => writeModelFolder(join(parent, name), MANIFEST, FILES, { replace: true }));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
    expect(await contents(parent)).toEqual(before);
  });

  test.each<[string, typeof FILES, object]>([
    ['a missing graph', new Map([...FILES].filter(([name]) => name !== 'encoder.onnx')), {}],
    ['a name that leaves the folder', new Map([...FILES, ['../evil', 'x']]), {}],
    ['a manifest of its own', new Map([...FILES, ['foretoken.json', '{}']]), {}],
    ['a bad field', FILES, { vocabulary: { size: -1, endTokenId: 0, startTokenId: 0 } }],
    ['an unknown field', FILES, { surprise: 1 }],
    ['a manifest over 1 MB', FILES, { training: { log: 'x'.repeat(1024 ** 2) } }],
  ])('%s is refused before anything is written', async (_, files, change) => {
    const parent = await temporaryFolder();
    const error = await refusal(() => writeModelFolder(join(parent, 'model'), { ...MANIFEST, ...change }, files));
    expect(error.code).toMatch(/^(INVALID_MODEL_FOLDER|INVALID_ARGUMENT)$/);
    expect(await readdir(parent)).toEqual([]);
  });

  test('a failure half-way leaves the old model and no temporary folder', async () => {
    const target = await modelFolder();
    const before = await contents(target);
    // A name that is both a file and a folder fails when it is written, after others have been.
    const clash = new Map([...FILES, ['weights.bin/inner', 'x']]);
    const error = await refusal(() => writeModelFolder(target, MANIFEST, clash, { replace: true }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { folder: target } });
    expect(await contents(target)).toEqual(before);
    expect(await readdir(join(target, '..'))).toEqual(['model']);
  });
});
