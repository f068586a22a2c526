import { type ChildProcessByStdio, type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const start = (...argv: string[]) => spawn(process.execPath, [built, ...argv]);

async function outcome(child: ChildProcessByStdio<Writable | null, Readable, Readable>) {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr };
}

function hasOpen(pid: number, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((descriptor) => {
    try {
      return readlinkSync(join(folder, descriptor)) === file;
    } catch {
      return false;
    }
  });
}

/** Resolves when the child reads its standard input: what is written is far more than a pipe holds. */
async function reading(child: ChildProcessWithoutNullStreams): Promise<void> {
  await new Promise((resolve) => {
    child.stdin.write('x'.repeat(1 << 23), resolve);
  });
}

// The build comes before the tests in `npm test`; running vitest alone in a fresh clone leaves these out.
describe.skipIf(!existsSync(built))('the built command', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await outcome(start('--version'))).toEqual({
      code: 0,
      signal: null,
      stdout: `foretoken ${version}\n`,
      stderr: '',
    });
  });

  it('exits with 2 on bad usage', async () => {
    const { code, stdout, stderr } = await outcome(start('race', '--nonsense'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--nonsense');
  });

  it('exits with 2 where standard input is a folder', async () => {
    const folder = openSync(tmpdir(), 'r');
    const child = spawn(process.execPath, [built, 'decode'], { stdio: [folder, 'pipe', 'pipe'] });
    closeSync(folder);
    const { code, stdout, stderr } = await outcome(child as ChildProcessByStdio<null, Readable, Readable>);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/Standard input cannot be read: it is a folder \(EISDIR\)/);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('on %s stops waiting for input and exits with %d', async (signal, exitCode) => {
    const child = start('race', '--file', '-');
    child.stdin.on('error', () => {});
    const done = outcome(child);
    await reading(child);
    child.kill(signal);
    expect(await done).toEqual({ code: exitCode, signal: null, stdout: '', stderr: '' });
  });

  // Where the system shows which files a process has open.
  it.skipIf(!existsSync('/proc/self/fd')).each(['--file', '--initial-outputs'])(
    'stops on SIGINT while %s is a pipe that nobody writes to',
    async (option) => {
      const folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
      try {
        const pipe = join(folder, 'pipe');
        execFileSync('mkfifo', [pipe]);
        const input = option === '--file' ? [] : ['--strategy', 'levenshtein', '--text', 'a'];
        const child = start('decode', ...input, option, pipe);
        const done = outcome(child);
        while (child.exitCode === null && !hasOpen(child.pid!, pipe))
          await new Promise((resolve) => setTimeout(resolve, 5));
        child.kill('SIGINT');
        expect(await done).toMatchObject({ code: 130, signal: null, stderr: '' });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it.skipIf(process.platform === 'win32')('refuses a pipe in the place of a file, whatever it is for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
    try {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      for (const argv of [
        ['inspect', pipe],
        ['decode', '--text', 'a', '--model', pipe],
        ['decode', '--text', 'a', '--out', pipe],
        ['advise', '--data', fileURLToPath(import.meta.url), '--svg', pipe],
        ['import', pipe, '--out', join(folder, 'model')],
        ['import', join(folder, 'x.onnx'), '--dictionary', pipe, '--out', pipe],
      ]) {
        const { code, stderr } = await outcome(start(...argv));
        expect([code, stderr]).toEqual([
          2,
          expect.stringMatching(/is (a pipe|a folder|no folder)|exists and is not a folder/),
        ]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.skipIf(!existsSync('/proc/self/mem'))('names standard input where it cannot be read', async () => {
    const unreadable = openSync('/proc/self/mem', 'r');
    try {
      const child = spawn(process.execPath, [built, 'decode'], { stdio: [unreadable, 'pipe', 'pipe'] });
      const { code, stderr } = await outcome(child as unknown as ChildProcessWithoutNullStreams);
      expect(code).toBe(2);
      expect(stderr).toContain('error INVALID_ARGUMENT: Standard input cannot be read');
    } finally {
      closeSync(unreadable);
    }
  });

  it('says nothing when its reader goes away', async () => {
    const child = start('--help');
    child.stdout.destroy();
    const { code, stderr } = await outcome(child);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('has failed where it failed, also when nobody reads of it', async () => {
    const child = start('inspect', join(tmpdir(), 'foretoken-no-such-folder'));
    child.stderr.destroy();
    expect((await outcome(child)).code).toBe(2);
  });

  it.skipIf(!existsSync('/dev/full'))('says that its output cannot be written, as on a disk that is full', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const child = spawn(process.execPath, [built, '--help'], { stdio: ['pipe', full, 'pipe'] });
      let stderr = '';
      child.stderr?.on('data', (chunk) => {
        stderr += chunk;
      });
      const [code] = await once(child, 'close');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: Standard output cannot be written: ENOSPC.*\n$/);
    } finally {
      closeSync(full);
    }
  });
});
