import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openText, readChunks } from '../src/text-files.js';
import { cli } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;

async function content(path: string, signal: AbortSignal = never): Promise<string> {
  const parts: (Uint8Array | string)[] = [];
  for await (const part of readChunks(await openText('file', path, signal), 'file', path, signal)) parts.push(part);
  return Buffer.concat(parts.map((part) => Buffer.from(part))).toString();
}

function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a file of text', () => {
  it('is read whole', async () => {
    const path = join(folder, 'plain');
    await writeFile(path, 'ä'.repeat(100_000));
    expect(await content(path)).toBe('ä'.repeat(100_000));
    expect((await cli(['decode', '--file', path])).code).toBe(0);
  });

  it.each<[string, () => string]>([
    ['a file', () => join(folder, 'plain')],
    ['a pipe that nobody writes to', () => pipe('stopped')],
  ])('is not read, and ends nothing, where the signal aborts before the reader comes: %s', async (_, path) => {
    const file = path();
    for (const before of [true, false]) {
      const controller = new AbortController();
      const reason = new Error('stopped');
      if (before) controller.abort(reason);
      const stream = await openText('file', file, controller.signal).catch((error: unknown) => error);
      controller.abort(reason);
      // The stream has told its listeners by then; that nobody hears of it must not end the process.
      for (let turn = 0; turn < 5; turn++) await settled();
      if (stream === reason) continue;
      const read = async () => {
        for await (const part of readChunks(stream as Readable, 'file', file, controller.signal)) expect(part).toBe('');
      };
      await expect(read()).rejects.toBe(reason);
    }
  });

  it.each<[string, () => string]>([
    ['missing', () => join(folder, 'nowhere')],
    ['a folder', () => folder],
    ['below a file', () => join(folder, 'plain', 'x')],
    ['of an impossible name', () => 'a\0b'],
    ['of too long a name', () => 'x'.repeat(5000)],
  ])('that is %s is refused by name', async (_, path) => {
    await writeFile(join(folder, 'plain'), 'a');
    const { code, stdout, stderr } = await cli(['decode', '--file', path()]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error INVALID_ARGUMENT: --file "[^\0]*" cannot be read: .*\n$/);
  });

  // Opens, and then cannot be read.
  it.skipIf(!existsSync('/proc/self/mem'))('that fails while it is read is refused by name, too', async () => {
    for (const argv of [['decode'], ['race'], ['decode', '--jsonl']]) {
      const { code, stderr } = await cli([...argv, '--file', '/proc/self/mem']);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error INVALID_ARGUMENT: --file "\/proc\/self\/mem" cannot be read: .*\(EIO\)\.\n$/);
    }
  });
});

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  it('is read as it is written, also when its writer comes late', async () => {
    const path = pipe('late');
    const done = cli(['decode', '--file', path]);
    await settled();
    await appendFile(path, 'a dog\na man\n');
    expect(await done).toMatchObject({ code: 0, stdout: 'ein Hund\nein Mann\n' });
  });

  it.each(['decode', 'race'])('that nobody writes to does not keep %s from stopping', async (command) => {
    const path = pipe(`silent-${command}`);
    const controller = new AbortController();
    const done = cli([command, '--file', path], { signal: controller.signal });
    await settled();
    controller.abort();
    expect((await done).code).toBe(130);
  });

  it('ends with the reason of the signal', async () => {
    const path = pipe('reason');
    const controller = new AbortController();
    const reading = content(path, controller.signal);
    await settled();
    controller.abort(new RangeError('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expect(
      openText('initial-outputs', path, controller.signal).then((stream) =>
        readChunks(stream, 'initial-outputs', path, controller.signal).next(),
      ),
    ).rejects.toThrow('enough');
  });
});
