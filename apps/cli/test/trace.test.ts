import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrace } from '@foretoken/streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from './support.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-trace-'));
  path = join(folder, 'run.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('--trace', () => {
  it.each(['greedy', 'speculative', 'ctc'])('writes what %s did, beside the output', async (strategy) => {
    const plain = await cli(['decode', '--strategy', strategy, '--text', 'a dog runs']);
    const outcome = await cli(['decode', '--strategy', strategy, '--trace', path, '--text', 'a dog runs']);
    expect(outcome).toEqual(plain);
    const { header, events } = readTrace(await readFile(path, 'utf8'));
    expect(header).toMatchObject({ strategy, input: 'a dog runs', text: plain.stdout.trim(), seed: 0 });
    const end = events.at(-1);
    if (end?.type !== 'decode-end') throw new Error('It has no end.');
    expect([...end.results[0].best.tokenIds].every((tokenId) => header.tokens[tokenId] !== undefined)).toBe(true);
  });

  it('is of one text', async () => {
    for (const argv of [
      ['--text', 'a dog', '--text', 'a man'],
      ['--file', '-'],
    ]) {
      const { code, stderr } = await cli(['decode', '--trace', path, ...argv], { stdin: 'a dog' });
      expect([code, stderr]).toEqual([2, expect.stringContaining('--trace is of one decode')]);
      expect(existsSync(path)).toBe(false);
    }
  });

  it('overwrites no file, and leaves none behind where the decode fails', async () => {
    await writeFile(path, 'mine');
    const { code, stderr } = await cli(['decode', '--trace', path, '--text', 'a dog']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('exists already')]);
    expect(await readFile(path, 'utf8')).toBe('mine');
    const other = join(folder, 'other.jsonl');
    const failed = await cli(['decode', '--trace', other, '--text', 'a '.repeat(40)]);
    expect(failed.code).not.toBe(0);
    expect(existsSync(other)).toBe(false);
  });

  it.each<[string, () => string, string]>([
    ['lies in a folder that is not there', () => join(folder, 'none', 'run.jsonl'), 'in a folder that exists'],
    ['is empty', () => '', 'is empty'],
    ['is a folder', () => folder, 'is a folder'],
    ['is a device', () => '/dev/null', 'is a device'],
  ])('says before anything is decoded that its path %s', async (_, name, words) => {
    const { code, stdout, stderr } = await cli(['decode', '--trace', name(), '--text', 'a dog']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)]);
  });

  it('shows no control character of a path', async () => {
    const { stderr } = await cli(['decode', '--trace', join(folder, 'n\u009b1m', 'x'), '--text', 'a dog']);
    expect(stderr).toContain('cannot be written');
    expect(stderr).not.toMatch(/[\u0080-\u009f\ufffd]/);
  });

  it('is not the file of --out, and takes an empty one', async () => {
    const out = join(folder, 'out.txt');
    const same = await cli(['decode', '--trace', join(folder, '.', 'out.txt'), '--out', out, '--text', 'a dog']);
    expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('--out writes')]);
    expect(existsSync(out)).toBe(false);
    await writeFile(path, '');
    expect((await cli(['decode', '--trace', path, '--text', 'a dog'])).code).toBe(0);
    expect(readTrace(await readFile(path, 'utf8')).events.length).toBeGreaterThan(0);
  });
});
