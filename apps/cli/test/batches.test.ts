import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ForetokenError } from '@foretoken/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { progressLine } from '../src/terminal/progress.js';
import { cli, fakeModel } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-batches-'));
});
afterAll(() => rm(folder, { recursive: true }));

const WORDS = ['a', 'dog', 'runs', 'on', 'grass', 'man', 'sits'];
let files = 0;

async function fileOf(text: string): Promise<string> {
  const file = join(folder, `${++files}.txt`);
  await writeFile(file, text);
  return file;
}

const outputIn = (): string => join(folder, `${++files}.out`);

describe('lines of a file', () => {
  it('are decoded together, in their order', async () => {
    const file = await fileOf('a dog\na man sits\na\ngrass\n');
    const opened: number[] = [];
    const model = fakeModel({ rows: 100, onOpen: (rows) => opened.push(rows) });
    const { code, stdout } = await cli(['decode', '--file', file, '--batch-size', '3'], { model });
    expect([code, stdout, opened]).toEqual([0, 'ein Hund\nein Mann sitzt\nein\nGras\n', [3, 1]]);
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('are not decoded together where the model takes one row, and more than it takes are refused', async () => {
    const file = await fileOf('a dog\na man\n');
    const opened: number[] = [];
    const model = () => fakeModel({ onOpen: (rows) => opened.push(rows) });
    expect((await cli(['decode', '--file', file], { model: model() })).stdout).toBe('ein Hund\nein Mann\n');
    expect(opened).toEqual([1, 1]);
    const refused = await cli(['decode', '--file', file, '--batch-size', '2'], { model: model() });
    expect([refused.code, refused.stdout, opened.length]).toEqual([2, '', 2]);
    expect(refused.stderr).toContain('UNSUPPORTED_CAPABILITY');
  });

  it('give what they give line by line, bad ones and unknown words among them', async () => {
    const line = fc.oneof(
      fc.array(fc.constantFrom(...WORDS, 'zebra'), { minLength: 1, maxLength: 14 }).map((words) => words.join(' ')),
      fc.constantFrom('', '  '),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.integer({ min: 2, max: 7 }), async (lines, size) => {
        const file = await fileOf(lines.map((text) => `${text}\n`).join(''));
        const run = (batch: number) =>
          cli(['decode', '--file', file, '--batch-size', String(batch)], { model: fakeModel({ rows: 100 }) });
        expect(await run(size)).toEqual(await run(1));
      }),
      { seed: 16, numRuns: 40 },
    );
  });

  it('are decoded one by one where one of a batch stops it', async () => {
    const file = await fileOf('a dog\na man\ngrass\n');
    const opened: number[] = [];
    let refusals = 2;
    const model = fakeModel({
      rows: 9,
      onOpen: (rows) => opened.push(rows),
      onForward: () => {
        // The batch, then its first line.
        if (refusals-- > 0) throw new ForetokenError('LENGTH_LIMIT', 'too long');
      },
    });
    const { code, stdout, stderr } = await cli(['decode', '--file', file], { model });
    expect([code, stdout, opened]).toEqual([1, '\nein Mann\nGras\n', [3, 1, 1, 1]]);
    expect(stderr).toContain('error LENGTH_LIMIT: Line 1');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('are read no further ahead than one batch', async () => {
    const [size, count] = [8, 1000];
    let [read, decoded, max] = [0, 0, 0];
    const lines = (function* () {
      for (; read < count; read++) yield 'a dog\n';
    })();
    const model = fakeModel({
      rows: 100,
      onOpen: (rows) => {
        max = Math.max(max, read - decoded);
        decoded += rows;
      },
    });
    const { code, stdout } = await cli(['decode', '--batch-size', String(size)], {
      stdin: Readable.from(lines, { highWaterMark: 1 }),
      model,
    });
    expect([code, stdout.split('\n').length]).toEqual([0, count + 1]);
    // What a stream reads ahead of its reader is one chunk.
    expect(max).toBeLessThanOrEqual(size + 2);
  });

  it.each([['--json'], ['--jsonl']])('keep their own events and figures with %s', async (format) => {
    const file = await fileOf('a dog\na man\n');
    const opened: number[] = [];
    const model = () => fakeModel({ rows: 9, onOpen: (rows) => opened.push(rows) });
    const { code } = await cli(['decode', '--file', file, format], { model: model() });
    expect([code, opened]).toEqual([0, [1, 1]]);
    const refused = await cli(['decode', '--file', file, format, '--batch-size', '2'], { model: model() });
    expect([refused.code, opened.length]).toEqual([2, 2]);
    expect(refused.stderr).toContain('--batch-size goes with plain output');
  });
});

describe('--out', () => {
  it('takes the lines, and standard output nothing', async () => {
    const [file, out] = [await fileOf('a dog\na man\n'), outputIn()];
    expect(await cli(['decode', '--file', file, '--out', out])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(out, 'utf8')).toBe('ein Hund\nein Mann\n');
  });

  it('is not written over, unless it is said so', async () => {
    const [file, out] = [await fileOf('a dog\n'), await fileOf('precious\n')];
    const refused = await cli(['decode', '--file', file, '--out', out]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/exists and is not empty.*--resume.*--replace/);
    expect(await readFile(out, 'utf8')).toBe('precious\n');
    expect((await cli(['decode', '--file', file, '--out', out, '--replace'])).code).toBe(0);
    expect(await readFile(out, 'utf8')).toBe('ein Hund\n');
  });

  it('stays as it was where the model cannot be loaded or serve the strategy', async () => {
    const [file, out] = [await fileOf('a dog\n'), await fileOf('precious\n')];
    const argv = ['decode', '--file', file, '--out', out, '--replace'];
    const services = { loadModel: () => Promise.reject(new ForetokenError('INVALID_MODEL_FOLDER', 'no')) };
    expect((await cli(argv, { services })).code).toBe(2);
    expect((await cli([...argv, '--strategy', 'nat'])).code).toBe(2);
    expect(await readFile(out, 'utf8')).toBe('precious\n');
  });

  it('is not the input, nor a folder', async () => {
    const file = await fileOf('a dog\n');
    for (const [out, message] of [
      [file, 'is the file that --file reads'],
      [join(folder, '.', '..', folder.split('/').at(-1)!, file.split('/').at(-1)!), 'is the file that --file reads'],
      [folder, 'is a folder'],
      [join(folder, 'none', 'out'), 'cannot be written'],
    ]) {
      const { code, stderr } = await cli(['decode', '--file', file, '--out', out, '--replace']);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(await readFile(file, 'utf8')).toBe('a dog\n');
  });
});

describe('--resume', () => {
  const INPUT = 'a dog\n\na man sits\ngrass\na';
  const WHOLE = 'ein Hund\n\nein Mann sitzt\nGras\nein\n';

  it('goes on after the last complete line, wherever the output was cut', async () => {
    const file = await fileOf(INPUT);
    for (let bytes = 0; bytes <= WHOLE.length; bytes++) {
      const out = await fileOf(WHOLE.slice(0, bytes));
      const argv = ['decode', '--file', file, '--out', out, '--resume', '--batch-size', '2'];
      const { stdout, stderr } = await cli(argv, { model: fakeModel({ rows: 9 }) });
      expect(stdout).toBe('');
      expect(await readFile(out, 'utf8')).toBe(WHOLE);
      // The number of the empty line is that of the input.
      if (stderr !== '') expect(stderr).toContain('Line 2: The text is empty');
    }
  });

  it('begins where there is no output yet', async () => {
    const [file, out] = [await fileOf('a dog\n'), outputIn()];
    expect((await cli(['decode', '--file', file, '--out', out, '--resume'])).code).toBe(0);
    expect(await readFile(out, 'utf8')).toBe('ein Hund\n');
  });

  it('refuses an output that is longer than the input', async () => {
    const [file, out] = [await fileOf('a dog\n'), await fileOf('1\n2\n3\n')];
    const { code, stderr } = await cli(['decode', '--file', file, '--out', out, '--resume']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--out has 3 lines, but the input has 1')]);
    expect(await readFile(out, 'utf8')).toBe('1\n2\n3\n');
  });

  it.each([
    [['--resume'], '--resume needs --out'],
    [['--replace'], '--replace needs --out'],
    [['--resume', '--replace', '--out', 'x'], '--resume and --replace exclude each other'],
    [['--resume', '--out', 'x', '--json'], '--resume goes with plain output'],
  ])('%j: %s', async (argv, message) => {
    const { code, stderr } = await cli(['decode', '--file', await fileOf('a\n'), ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('an interruption', () => {
  it.each([
    [0, 'Stopped before the first line was done.'],
    [2, 'Stopped after line 4.'],
  ])('in batch %d says where it stopped', async (batch, message) => {
    const controller = new AbortController();
    const [file, out] = [await fileOf('a dog\n'.repeat(9)), outputIn()];
    let opened = 0;
    const model = fakeModel({
      rows: 9,
      onOpen: () => {
        if (opened++ === batch) controller.abort();
      },
    });
    const argv = ['decode', '--file', file, '--out', out, '--batch-size', '2'];
    const { code, stderr } = await cli(argv, { model, signal: controller.signal });
    expect([code, stderr]).toEqual([130, `${message} Go on with --resume.\n`]);
    expect(model.open).toEqual({ forests: 0, models: 0 });
    expect(await readFile(out, 'utf8')).toBe('ein Hund\n'.repeat(2 * batch));
    const resumed = await cli([...argv, '--resume'], { model: fakeModel({ rows: 9 }) });
    expect([resumed.code, await readFile(out, 'utf8')]).toEqual([0, 'ein Hund\n'.repeat(9)]);
  });
});

describe('progress', () => {
  it('is shown on a terminal beside results that go elsewhere, and nowhere else', async () => {
    const file = await fileOf('a dog\n'.repeat(5));
    const run = (more: string[], surroundings: object) =>
      cli(['decode', '--file', file, '--batch-size', '2', ...more], { model: fakeModel({ rows: 9 }), ...surroundings });
    const shown = await run([], { stderrIsTerminal: true });
    expect(shown.stderr).toContain('4 of 5 lines');
    expect(shown.stdout).toBe('ein Hund\n'.repeat(5));
    for (const [more, surroundings] of [
      [[], {}],
      [['--quiet'], { stderrIsTerminal: true }],
      [[], { stderrIsTerminal: true, stdoutIsTerminal: true }],
      [[], { stderrIsTerminal: true, env: { TERM: 'dumb' } }],
    ] as const) {
      expect((await run([...more], surroundings)).stderr).toBe('');
    }
  });

  it('says how far and how fast, in 40 columns', () => {
    expect(progressLine(1024, 1024, 10_000, 4)).toBe('1,024 of 10,000 lines, 256/s, 0:36 left');
    expect(progressLine(500, 0, 1000, 0)).toBe('500 of 1,000 lines');
    // What an earlier run did says nothing of the speed of this one.
    expect(progressLine(9000, 100, 10_000, 100)).toBe('9,000 of 10,000 lines, 1.0/s, 16:40 left');
    expect(progressLine(7, 7, undefined, 2)).toBe('7 lines, 3.5/s');
    expect(progressLine(10, 10, 1_000_000, 1)).toContain('27:46:39 left');
  });
});
