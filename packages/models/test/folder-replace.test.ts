import { mkdir, readdir, readFile, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MarianManifest } from '../src/families/marian/marian-manifest.js';
import { writeModelFolder } from '../src/folder/write-folder.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { FILES, MANIFEST, modelFolder, refusal, temporaryFolder } from './folder-fixtures.js';

const NEW_FILES = new Map([...FILES, ['encoder.onnx', Uint8Array.of(9)] as const]);
const GENERATION = /^files-[0-9a-f]{16}(-\d+)?\//;

const replace = (target: string, files: typeof FILES, manifest = MANIFEST) =>
  writeModelFolder(target, manifest, files, { replace: true });

async function names(target: string): Promise<string[]> {
  return (await readdir(target)).sort();
}

describe('replacing a model', () => {
  test('puts the new files under names that no earlier model had, and removes the old ones', async () => {
    const target = await modelFolder();
    const seen = new Set(Object.keys((await openModelFolder(target)).manifest.files));
    for (const content of [1, 2, 1, 3]) {
      const written = await replace(target, new Map([...FILES, ['encoder.onnx', Uint8Array.of(content)]]));
      const opened = await openModelFolder(target);
      expect(opened.manifest).toEqual(written);
      const files = Object.keys(written.files);
      expect(files.every((name) => GENERATION.test(name))).toBe(true);
      if (content !== 1) for (const name of files) expect(seen.has(name)).toBe(false);
      for (const name of files) seen.add(name);
      expect(await readFile(opened.filePath((written as MarianManifest).graphs.encoder))).toEqual(Buffer.of(content));
      expect(await names(target)).toEqual([files[0].split('/')[0], 'foretoken.json']);
    }
  });

  test('by the same files changes the manifest alone', async () => {
    const target = await modelFolder();
    const before = await names(target);
    await replace(target, FILES, { ...MANIFEST, name: 'renamed' });
    expect(await names(target)).toEqual(before);
    const { manifest } = await openModelFolder(target);
    expect([manifest.name, manifest.tokenizer]).toEqual(['renamed', 'tokenizer.json']);
    await replace(target, NEW_FILES);
    const moved = await readFile(join(target, 'foretoken.json'), 'utf8');
    await replace(target, NEW_FILES);
    expect(await readFile(join(target, 'foretoken.json'), 'utf8')).toBe(moved);
  });

  test('repairs a folder whose files are damaged, at every try', async () => {
    const target = await modelFolder();
    for (let round = 0; round < 3; round++) {
      const { manifest } = await openModelFolder(target);
      await writeFile(join(target, manifest.tokenizer as string), 'damaged');
      await replace(target, FILES);
      await openModelFolder(target);
    }
  });

  test.each([
    '{',
    '[]',
    '{"files": 3}',
    '{"format": "foretoken-model", "formatVersion": 9, "files": {"a/../../x": 1}}',
  ])('repairs a folder with the manifest %s', async (manifest) => {
    const target = await modelFolder();
    await writeFile(join(target, 'foretoken.json'), manifest);
    await replace(target, NEW_FILES);
    await replace(target, FILES);
    await openModelFolder(target);
    expect((await names(target)).length).toBeLessThanOrEqual(3);
  });

  test('keeps files that are not the model’s, and what symbolic links lead to', async () => {
    const target = await modelFolder();
    const elsewhere = await temporaryFolder();
    await writeFile(join(elsewhere, 'step.onnx'), 'not mine');
    await writeFile(join(target, 'NOTES.md'), 'mine');
    await rm(join(target, 'graphs'), { recursive: true });
    await symlink(elsewhere, join(target, 'graphs'));
    await replace(target, NEW_FILES);
    expect(await readFile(join(target, 'NOTES.md'), 'utf8')).toBe('mine');
    expect(await readFile(join(elsewhere, 'step.onnx'), 'utf8')).toBe('not mine');
    await openModelFolder(target);
  });

  test('is refused where the target lies too deep for one more folder', async () => {
    const target = await modelFolder();
    const deep = new Map([...FILES, [`${'d/'.repeat(7)}x`, 'x']]);
    const before = await names(target);
    expect((await refusal(() => replace(target, deep))).code).toBe('INVALID_MODEL_FOLDER');
    expect(await names(target)).toEqual(before);
  });

  test('never shows a moment without a model', async () => {
    const target = await modelFolder();
    let replaced = 0;
    const opened = new Set<string>();
    const writing = (async () => {
      for (; replaced < 12; replaced++) {
        await replace(target, new Map([...FILES, ['encoder.onnx', Uint8Array.of(replaced)]]));
      }
    })();
    while (replaced < 12) opened.add(JSON.stringify((await openModelFolder(target)).manifest.files));
    await writing;
    expect(opened.size).toBeGreaterThan(2);
  });

  test('is proved first, and a refused or aborted one leaves nothing behind', async () => {
    for (const existing of [true, false]) {
      const target = existing ? await modelFolder() : join(await temporaryFolder(), 'above', 'model');
      const before = existing ? await names(target) : [];
      const stop = new AbortController();
      let proved = '';
      const failing = writeModelFolder(target, MANIFEST, NEW_FILES, {
        replace: true,
        signal: stop.signal,
        prove: async (folder) => {
          proved = (await openModelFolder(folder)).manifest.name;
          stop.abort(new Error('no more'));
        },
      });
      await expect(failing).rejects.toThrow('no more');
      expect(proved).toBe('tiny');
      if (existing) expect(await names(target)).toEqual(before);
      else expect(await readdir(join(target, '..', '..'))).toEqual([]);
    }
  });
});

test.each([
  ['is whole', async () => undefined],
  ['is replaced by the same, but damaged', (target: string, file: string) => writeFile(join(target, file), 'damaged')],
])('where the last rename fails the old model stays that %s, and nothing else', async (_, damage) => {
  const target = await modelFolder();
  await replace(target, NEW_FILES);
  const { manifest: old } = await openModelFolder(target);
  await damage(target, old.tokenizer as string);
  const before = await readdir(target, { recursive: true });
  const [manifest, aside] = [join(target, 'foretoken.json'), join(target, '..', 'aside.json')];
  const error = await refusal(() =>
    writeModelFolder(target, MANIFEST, NEW_FILES, {
      replace: true,
      // A file takes the place of no folder.
      prove: async () => {
        await rename(manifest, aside);
        await mkdir(manifest);
      },
    }),
  );
  expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { folder: target } });
  await rmdir(manifest);
  await rename(aside, manifest);
  expect(await readdir(target, { recursive: true })).toEqual(before);
});

describe('two runs with one target', () => {
  test('the second is refused while the first is at work, and not after it', async () => {
    for (const existing of [true, false]) {
      const target = existing ? await modelFolder() : join(await temporaryFolder(), 'model');
      const second: unknown[] = [];
      await writeModelFolder(target, MANIFEST, NEW_FILES, {
        replace: true,
        prove: async () => {
          second.push(await refusal(() => replace(target, FILES)));
        },
      });
      expect(second).toMatchObject([{ code: 'INVALID_ARGUMENT', details: { option: 'target' } }]);
      expect((second[0] as Error).message).toContain(`process ${process.pid}`);
      await replace(target, FILES);
      await openModelFolder(target);
    }
  });

  test('many at once: one model whole, the others written or refused', async () => {
    const target = await modelFolder();
    const runs = Array.from({ length: 8 }, (_, run) =>
      replace(target, new Map([...FILES, ['encoder.onnx', Uint8Array.of(run)]])),
    );
    const results = await Promise.allSettled(runs);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const { manifest } = await openModelFolder(target);
    expect(await names(target)).toEqual([(manifest.tokenizer as string).split('/')[0], 'foretoken.json']);
  });

  const OWNER = { host: hostname(), boot: '', pid: 1, started: '', thread: 0, run: 'x' };
  test.each<[string, string | null]>([
    ['of another machine', JSON.stringify({ ...OWNER, host: 'elsewhere\u001b[2J' })],
    ['of nobody', null],
    ['of an owner that cannot be read', '{"pid": "x"}'],
  ])('a staging folder %s is left alone, with a word on what to do', async (_, owner) => {
    const target = await modelFolder();
    const staging = join(target, '.foretoken-import');
    await mkdir(staging);
    await writeFile(join(staging, owner === null ? 'something' : 'owner.json'), owner ?? '');
    const error = await refusal(() => replace(target, NEW_FILES));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { received: staging } });
    expect(error.message).toContain(`remove ${staging}`);
    expect(error.message).not.toContain('\u001b');
    await rm(staging, { recursive: true });
    await replace(target, NEW_FILES);
  });
});
