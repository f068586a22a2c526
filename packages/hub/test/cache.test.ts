import { execFileSync } from 'node:child_process';
import { chmod, mkdir, open, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, test, vi } from 'vitest';
import { REAL_TIME } from '../src/ask-hub.js';
import { usualCacheFolder } from '../src/cache.js';
import { fetchFromHub, type HubOptions } from '../src/index.js';
import { COMMIT } from './hub-server.js';
import { at, cacheFolder, downloads, endpoint, expectWhole, fetchIt, kept, server } from './kept-files.js';

const home = vi.hoisted(() => ({ folder: (): string => '/home/somebody' }));

vi.mock('node:os', async (original) => ({ ...(await original<object>()), homedir: () => home.folder() }));

const refusal = async (run: Promise<unknown>): Promise<ForetokenError> => {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ForetokenError);
  return error as ForetokenError;
};

const pipe = async (path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  execFileSync('mkfifo', [path]);
};

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  test('in the place of a reference is refused offline by its path, and replaced otherwise', async () => {
    await fetchIt();
    await pipe(at('refs', 'main'));
    const error = await refusal(fetchIt({ offline: true }));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { received: 'a pipe', path: at('refs', 'main') },
    });
    expect(error.message).toContain('is a pipe, not a regular file');
    await fetchIt();
    expect((await fetchIt({ offline: true })).commit).toBe(COMMIT);
  });

  test('in the place of a part makes room for it', async () => {
    const lists = await import('../src/list-hub-files.js');
    const access = { endpoint, pace: REAL_TIME };
    const listed = await lists.listHubFiles({ repository: 'owner/name', revision: 'main' }, COMMIT, access);
    for (const [index, { digest }] of listed.entries()) {
      const path = at('partial', `${digest.hex}.incomplete`);
      await (index === 0 ? mkdir(path, { recursive: true }) : pipe(path));
    }
    await fetchIt();
    await expectWhole();
    expect(await readdir(at('partial'))).toEqual([]);
  });

  test.each<[string, (path: string) => Promise<unknown>]>([
    ['a pipe', pipe],
    ['a link to a device', (path) => rm(path).then(() => symlink('/dev/zero', path))],
    ['a link to a file', (path) => rename(path, `${path}.old`).then(() => symlink(`${path}.old`, path))],
    ['nothing', (path) => rm(path)],
  ])(
    '%s in the place of a kept file is refused offline, and the file is downloaded again otherwise',
    async (_, put) => {
      await fetchIt();
      await put(kept('deep/step.onnx'));
      const error = await refusal(fetchIt({ offline: true }));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'deep/step.onnx' } });
      server.requests.length = 0;
      await fetchIt();
      expect(downloads()).toEqual(['deep/step.onnx']);
      expect((await stat(kept('deep/step.onnx'))).isFile()).toBe(true);
      await expectWhole();
    },
  );

  test('in the place of a record or a folder is never waited for', async () => {
    await fetchIt();
    await pipe(kept('.complete'));
    expect((await refusal(fetchIt({ offline: true }))).code).toBe('INVALID_ARGUMENT');
    await fetchIt();
    expect(downloads()).toHaveLength(3);
    await rm(kept('deep'), { recursive: true });
    await symlink(cacheFolder, kept('deep'));
    const error = await refusal(fetchIt());
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { path: kept('deep') } });
    expect(error.message).toContain('is a symbolic link');
  });
});

describe('a kept file', () => {
  const change = async (): Promise<void> => writeFile(kept('weights.bin'), 'x'.repeat(5_000));

  test('that was changed at the same size is downloaded again, alone', async () => {
    await fetchIt();
    await change();
    server.requests.length = 0;
    await fetchIt();
    expect(downloads()).toEqual(['weights.bin']);
    await expectWhole();
  });

  test('is found to be changed also where its time was put back', async () => {
    await fetchIt();
    // Whole seconds, so that the same time can be set again.
    await utimes(kept('weights.bin'), 1, 1);
    await fetchIt();
    await change();
    await utimes(kept('weights.bin'), 1, 1);
    const error = await refusal(fetchIt({ offline: true }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { received: ['weights.bin'] } });
    expect(error.message).toContain('weights.bin of owner/name was changed or lost');
  });

  test('is digested once, and again only where its times are others', async () => {
    await fetchIt();
    const handle = await open(kept('weights.bin'));
    const read = vi.spyOn(Object.getPrototypeOf(handle), 'read');
    await handle.close();
    const reads = async (): Promise<number> => {
      read.mockClear();
      await fetchIt({ offline: true });
      return read.mock.calls.length;
    };
    const records = await reads();
    await utimes(kept('weights.bin'), 1, 1);
    expect(await reads()).toBeGreaterThan(records);
    expect(await reads()).toBe(records);
    expect(downloads()).toHaveLength(3);
  });

  test('of a download that was not finished is not trusted by its size', async () => {
    await mkdir(kept(''), { recursive: true });
    await change();
    await fetchIt();
    await expectWhole();
  });

  test('of a cache without digests is digested, not downloaded, and offline is refused', async () => {
    await fetchIt();
    await writeFile(kept('.complete'), '');
    expect((await refusal(fetchIt({ offline: true }))).code).toBe('INVALID_ARGUMENT');
    server.requests.length = 0;
    await fetchIt();
    expect(downloads()).toEqual([]);
    await fetchIt({ offline: true });
  });

  test.each(['{"files":[{"path":"../../x"}]}', '[', '{"files":[]}', '{"files":"all"}', 'null', 'x'.repeat(100)])(
    'is listed again where its record is %s',
    async (record) => {
      await fetchIt();
      await writeFile(kept('.complete'), record);
      await fetchIt();
      await fetchIt({ offline: true });
    },
  );
});

describe('a cache that cannot be used', () => {
  const MAKE: readonly (readonly [string, string, () => Promise<HubOptions>])[] = [
    ['a file', 'ENOTDIR', async () => ({ cacheFolder: await file() })],
    ['below a file', 'ENOTDIR', async () => ({ cacheFolder: join(await file(), 'deeper') })],
    ['too long', 'ENAMETOOLONG', async () => ({ cacheFolder: join(cacheFolder, 'x'.repeat(300)) })],
    ['with a folder for a file', 'EISDIR', () => mkdir(kept('weights.bin/x'), { recursive: true }).then(() => ({}))],
    ['with a folder for a reference', 'EISDIR', () => mkdir(at('refs', 'main'), { recursive: true }).then(() => ({}))],
    [
      'with a file for the parts',
      'EEXIST',
      async () => {
        await mkdir(at());
        await writeFile(at('partial'), '');
        return {};
      },
    ],
  ];
  const file = async (): Promise<string> => {
    const path = join(cacheFolder, 'file\u001b[31m');
    await writeFile(path, '');
    return path;
  };

  test.each(MAKE)('%s is refused by its path (%s)', async (_, code, make) => {
    const more = await make();
    const error = await refusal(fetchIt(more));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'cacheFolder' } });
    expect([code, 'a folder']).toContain(error.details.received);
    expect(error.message).toMatch(/^Downloads of the hub are kept in "/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test.skipIf(process.getuid?.() === 0)(
    'closed to writing is read, and refused by its path to what is new',
    async () => {
      await fetchIt();
      await rm(at('refs'), { recursive: true });
      await utimes(kept('weights.bin'), 1, 1);
      const folders = [cacheFolder, at(), kept('')];
      for (const folder of folders) await chmod(folder, 0o500);
      try {
        expect((await fetchIt()).folder).toBe(resolve(kept('')));
        const elsewhere = await refusal(fetchIt({ cacheFolder: join(cacheFolder, 'new') }));
        expect(elsewhere).toMatchObject({ code: 'INVALID_ARGUMENT', details: { received: 'EACCES' } });
      } finally {
        for (const folder of folders) await chmod(folder, 0o700);
      }
    },
  );

  test.each(['', 'a\0b', 7])('is no path: %j', async (folder) => {
    const error = await refusal(fetchIt({ cacheFolder: folder as string }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'cacheFolder' } });
  });

  test('on a full disk says so, and keeps what has come', async () => {
    const handle = await open(join(cacheFolder, 'any'), 'w');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    vi.spyOn(Object.getPrototypeOf(handle), 'write').mockRejectedValueOnce(full);
    await handle.close();
    const error = await refusal(fetchIt());
    expect(error).toMatchObject({ code: 'RUNTIME_FAILURE', details: { received: 'ENOSPC' } });
    expect(error.message).toContain('the disk is full');
    await fetchIt();
    await expectWhole();
  });
});

describe('the environment', () => {
  test.each([
    [{ FORETOKEN_CACHE: '/c', XDG_CACHE_HOME: '/x' }, '/c/hub'],
    [{ FORETOKEN_CACHE: 'c' }, resolve('c/hub')],
    [{ FORETOKEN_CACHE: '', XDG_CACHE_HOME: '/x' }, '/x/foretoken/hub'],
    [{ XDG_CACHE_HOME: 'relative' }, '/home/somebody/.cache/foretoken/hub'],
    [{}, '/home/somebody/.cache/foretoken/hub'],
  ])('%j keeps downloads in %s', (env, folder) => {
    home.folder = () => '/home/somebody';
    expect(usualCacheFolder(env)).toBe(folder);
  });

  test.each<[string, () => string]>([
    ['is empty', () => ''],
    [
      'is not known',
      () => {
        throw Object.assign(new Error('A system error occurred: uv_os_homedir returned ENOENT'), {
          code: 'ERR_SYSTEM',
        });
      },
    ],
  ])('where the home folder %s asks for a folder', (_, folder) => {
    home.folder = folder;
    expect(() => usualCacheFolder({})).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('FORETOKEN_CACHE') }),
    );
  });

  test.each([
    ['HF_TOKEN', 'two\nlines', 'token'],
    ['HF_TOKEN', 'schlüssel', 'token'],
    ['HF_ENDPOINT', 'nowhere', 'endpoint'],
    ['HF_ENDPOINT', 'file:///etc', 'endpoint'],
  ])('%s=%j is refused before anything is asked', async (name, value, option) => {
    vi.stubEnv(name, value);
    const error = await refusal(fetchFromHub('hub:owner/name', { cacheFolder, offline: false }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.details.option).toContain(option);
    if (option === 'token') expect(error.message).not.toContain(value);
  });

  test('empty variables are none', async () => {
    vi.stubEnv('HF_TOKEN', '');
    vi.stubEnv('HF_HUB_OFFLINE', '');
    await fetchFromHub('hub:owner/name', { endpoint, cacheFolder });
    expect(server.requests.map(({ token }) => token)).toEqual(server.requests.map(() => undefined));
  });
});

test.each(['hub:a/b--c', 'hub:a--b/c'])('%s is refused: both would be kept in one folder', async (location) => {
  expect((await refusal(fetchFromHub(location, { cacheFolder }))).code).toBe('INVALID_ARGUMENT');
});
