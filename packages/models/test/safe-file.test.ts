import { appendFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRegularFile, readExactly, readRegularFile } from '../src/node/safe-file.js';
import { refusal, temporaryFolder } from './folder-fixtures.js';

const place = async (content = 'x'.repeat(3_000_000)) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), content);
  return { folder, file: 'file' };
};

describe('a file that changes after it was opened', () => {
  test.each<[string, (path: string) => Promise<unknown>]>([
    ['grows by one byte', (path) => appendFile(path, 'y')],
    ['grows by much', (path) => truncate(path, 2 ** 34)],
    ['loses its last byte', (path) => truncate(path, 2_999_999)],
    ['becomes empty', (path) => truncate(path, 0)],
  ])('is refused when it %s, before and while it is read', async (_, change) => {
    const early = await place();
    const first = await openRegularFile(early, { links: false });
    await change(join(early.folder, 'file'));
    const error = await refusal(async () => {
      for await (const _ of readExactly(first, early));
    });
    await first.handle.close();
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'file', required: 3_000_000 } });
    expect(error.message).toContain('changed while it was read');

    const late = await place();
    const second = await openRegularFile(late, { links: false });
    const pieces = readExactly(second, late);
    expect((await pieces.next()).done).toBe(false);
    await change(join(late.folder, 'file'));
    const rest = async () => {
      for await (const _ of pieces);
    };
    expect((await refusal(rest)).message).toContain('changed while it was read');
    await second.handle.close();
  });

  test('is read to its end when another takes its name: what was opened is what is read', async () => {
    const at = await place('old');
    const open = await openRegularFile(at, { links: false });
    await writeFile(join(at.folder, 'new'), 'new');
    await rename(join(at.folder, 'new'), join(at.folder, 'file'));
    const pieces: string[] = [];
    for await (const piece of readExactly(open, at)) pieces.push(Buffer.from(piece).toString());
    await open.handle.close();
    expect(pieces).toEqual(['old']);
  });
});

describe('a file that may be read', () => {
  test('has at most so many bytes, which is found out before memory is taken', async () => {
    const at = await place('abc');
    expect(Buffer.from(await readRegularFile(at, { links: false, max: 3 })).toString()).toBe('abc');
    expect((await refusal(() => readRegularFile(at, { links: false, max: 2 }))).details.required).toBe(2);
    await truncate(join(at.folder, 'file'), 2 ** 40);
    const error = await refusal(() => readRegularFile(at, { links: false, max: 2 ** 30 }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { received: 2 ** 40, required: 2 ** 30 } });
    // More than any machine gives.
    const allowed = await refusal(() => readRegularFile(at, { links: false, max: 2 ** 41 }));
    expect(allowed).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'file', received: 2 ** 40 } });
    expect(allowed.message).toContain('more than fit in memory');
  });

  test('may be empty', async () => {
    expect(await readRegularFile(await place(''), { links: false, max: 0 })).toEqual(new Uint8Array());
  });

  test('is a symbolic link only where links are allowed, and never one to something else than a file', async () => {
    const at = await place('abc');
    await symlink('file', join(at.folder, 'link'));
    await symlink('/dev/zero', join(at.folder, 'device'));
    await symlink('nowhere', join(at.folder, 'broken'));
    await mkdir(join(at.folder, 'folder'));
    await symlink('folder', join(at.folder, 'to-folder'));
    const read = (file: string, links: boolean) => readRegularFile({ folder: at.folder, file }, { links, max: 10 });
    expect(Buffer.from(await read('link', true)).toString()).toBe('abc');
    for (const file of ['device', 'broken', 'to-folder', 'folder', 'file/x']) {
      expect((await refusal(() => read(file, true))).code).toBe('INVALID_MODEL_FOLDER');
    }
    for (const file of ['link', 'device', 'broken', 'to-folder']) {
      expect((await refusal(() => read(file, false))).details.received).toBe('a symbolic link');
    }
    await rm(join(at.folder, 'file'));
    expect((await refusal(() => read('link', true))).message).toContain('is missing');
  });
});
