import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countLines } from '../src/sinks.js';
import { cli } from './support.js';

let folder: string;
let data: string;
const never = new AbortController().signal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
  data = join(folder, 'data');
  await symlink('circle', join(folder, 'circle'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
beforeEach(() => writeFile(data, 'a dog\na man\n'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const loaded = { loadModel: () => Promise.reject(new Error('must not be loaded')) };
const COMMANDS = [
  ['--out', (path: string) => ['decode', '--file', data, '--out', path]],
  ['--svg', (path: string) => ['advise', '--data', data, '--svg', path]],
] as const;

describe.skipIf(process.platform === 'win32')('a file to be written', () => {
  it.each(COMMANDS)('of %s is one, or is refused by what it is before a model is loaded', async (option, argv) => {
    for (const [path, words] of [
      [folder, 'is a folder'],
      [join(folder, 'pipe'), 'is a pipe'],
      ['/dev/full', 'is a device'],
      ['/dev/null', 'is a device'],
      [join(folder, 'nowhere', 'x'), 'cannot be written: it is below what is no folder'],
      [join(data, 'x'), 'lies below something that is no folder'],
      [join(folder, 'circle'), 'symbolic links'],
      [join(folder, 'x'.repeat(300)), 'too long a name'],
      ['a\0b', 'NUL'],
      ['', 'is empty'],
      [data, 'is the file that --'],
    ] as const) {
      const { code, stdout, stderr } = await cli(argv(path), { services: loaded });
      expect([code, stdout, stderr]).toEqual([2, '', expect.anything()]);
      expect(stderr).toMatch(new RegExp(`^error INVALID_ARGUMENT: ${option} `));
      expect(stderr).toContain(words);
    }
    expect(await readFile(data, 'utf8')).toBe('a dog\na man\n');
  });

  it('of --svg is drawn, also over an older one that is longer', async () => {
    const path = join(folder, 'chart.svg');
    await writeFile(path, 'x'.repeat(100_000));
    const { code } = await cli(['advise', '--data', data, '--svg', path]);
    expect(code).toBe(0);
    expect(await readFile(path, 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
  });

  it('of --out is not the file of --initial-outputs', async () => {
    const argv = [
      'decode',
      '--strategy',
      'levenshtein',
      '--file',
      '-',
      '--initial-outputs',
      data,
      '--out',
      data,
      '--replace',
    ];
    const { code, stderr } = await cli(argv, { services: loaded, stdin: 'a dog\n' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('is the file that --initial-outputs reads')]);
    expect((await stat(data)).size).toBe(12);
  });
});

it('lines of what can be read only once are not counted, and an abort ends the counting', async () => {
  expect(await countLines('file', join(folder, 'pipe'), never)).toBeUndefined();
  expect(await countLines('file', data, never)).toEqual({ lines: 2, bytes: 12, size: 12 });
  const reason = new Error('enough');
  await expect(countLines('file', data, AbortSignal.abort(reason))).rejects.toBe(reason);
});
