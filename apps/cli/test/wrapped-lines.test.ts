import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RawLine } from '../src/raw-lines.js';
import { wrappedLines } from '../src/wrapped-lines.js';
import { correct } from './corrector-command.js';

async function joined(...lines: readonly (readonly [text: string, cut?: boolean])[]): Promise<string[]> {
  async function* raw(): AsyncGenerator<RawLine> {
    for (const [index, [text, cut = false]] of lines.entries()) yield { number: index + 1, text, ending: '\n', cut };
  }
  const found: string[] = [];
  for await (const { text } of wrappedLines(raw())) found.push(text);
  return found;
}

describe('lines that one sentence may be wrapped into', () => {
  it.each([
    [['We saw the'], ['old cat there']],
    [['We saw old'], ['Jane there']],
    [['A cat and a dog,'], ['In a house']],
    [['A cat and a dog;'], ['In a house']],
  ] as const)('are given together: %j', async (...lines) => {
    expect(await joined(...lines)).toEqual([lines.map(([text]) => text).join('\n')]);
  });

  it.each([
    [['We saw it.'], ['old cat there']],
    [['We saw this:'], ['an old cat']],
    [[''], ['an old cat']],
    [['We saw something'], ['Jane was there']],
    [['We saw the'], ['- old cat']],
    [['we saw the', true], ['old cat there']],
    [['We saw the'], ['old cat there', true]],
  ] as const)('others are given by themselves: %j', async (...lines) => {
    expect(await joined(...lines)).toEqual(lines.map(([text]) => text));
  });

  it('are those of files; what comes on standard input is answered line by line', async () => {
    const text = 'A cat sat on teh mat,\nAnd it was\nAll of teh day there\n';
    const rows = async (argv: readonly string[], stdin?: string): Promise<string[]> =>
      JSON.parse((await correct([...argv, '--json'], { stdin })).stdout).rows.map(({ text }: { text: string }) => text);
    expect(await rows([], text)).toHaveLength(3);
    expect(await rows(['--file', '-'], text)).toHaveLength(3);
    const folder = await mkdtemp(join(tmpdir(), 'correct-'));
    try {
      const path = join(folder, 'verse.txt');
      await writeFile(path, text);
      expect(await rows(['--file', path])).toEqual(['A cat sat on the mat,\nAnd it was\nAll of the day there']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
