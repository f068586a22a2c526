import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelWithStudents } from './students.js';
import { cli } from './support.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('levenshtein from a given text', () => {
  const initial = async (text: string): Promise<string> => {
    const path = join(folder, 'initial.de');
    await writeFile(path, text);
    return path;
  };
  const edit = (path: string, stdin: string) =>
    cli(['decode', '--strategy', 'levenshtein', '--initial-outputs', path, '--jsonl'], {
      stdin,
      model: modelWithStudents(),
    });

  it('edits line by line, and begins with nothing where a line is empty', async () => {
    // The tokenizer of the tests encodes English words.
    const path = await initial('a man runs\n\n');
    const { code, stdout } = await edit(path, 'a dog runs\na man\n');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(events.filter(({ type }) => type === 'line-end').map(({ text }) => text)).toEqual([
      'ein Hund läuft',
      'ein Mann',
    ]);
    const revisions = events.filter(({ type, line }) => type === 'canvas-revise' && line === 1);
    // The wrong word goes first, and what stood behind it with it.
    expect(revisions[0].text).toBe('ein');
  });

  it('is refused where the file has too few lines', async () => {
    const { code, stderr } = await edit(await initial('a dog\n'), 'a dog\na man\n');
    expect(code).toBe(2);
    expect(stderr).toContain('--initial-outputs has 1 lines, but the input has a line 2');
  });
});
