import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { ownPart } from '../src/partial-files.js';
import { COMMIT } from './hub-server.js';
import { at, downloads, expectWhole, FILES, fetchIt, server } from './kept-files.js';

test('two at once on one cache both get it whole', async () => {
  const both = await Promise.all([fetchIt(), fetchIt()]);
  expect(both.map(({ commit }) => commit)).toEqual([COMMIT, COMMIT]);
  await expectWhole();
  expect(await readdir(at('partial'))).toEqual([]);
  await fetchIt({ offline: true });
});

/** A part of weights.bin by the name that a process gives it. */
async function partOf(pid: number): Promise<string> {
  const hex = createHash('sha1').update('blob 5000\0').update(FILES['weights.bin']).digest('hex');
  const file = { path: 'weights.bin', bytes: 5_000, digest: { algorithm: 'git', hex } } as const;
  await mkdir(at('partial'), { recursive: true });
  const path = (await ownPart(at('partial'), file)).replace(`-${process.pid}-`, `-${pid}-`);
  await writeFile(path, 'w'.repeat(3_000));
  return path;
}

const endedPid = (): number =>
  Number(execFileSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' }));

test('what a killed process left is gone on with at once, and nothing of it stays', async () => {
  for (const pid of [endedPid(), endedPid()]) await partOf(pid);
  await fetchIt();
  expect(server.requests.flatMap(({ range }) => range ?? [])).toEqual(['bytes=3000-']);
  expect(await readdir(at('partial'))).toEqual([]);
  await expectWhole();
});

test('what is left of files that are whole is removed by the next start, but for what is at work', async () => {
  const root = at('partial');
  const atWork = await partOf(process.pid);
  await fetchIt();
  expect(server.requests.some(({ range }) => range !== undefined)).toBe(false);
  const [ended, another] = [await partOf(endedPid()), join(root, `${'0'.repeat(40)}.incomplete`)];
  await writeFile(join(root, `${basename(ended).split('.')[0]}.incomplete`), 'w');
  await writeFile(another, 'of a file that is not whole');
  const before = downloads().length;
  await fetchIt();
  expect(downloads().length).toBe(before);
  expect((await readdir(root)).sort()).toEqual([basename(atWork), basename(another)].sort());
});

test('what a killed run left is gone on with, once nobody writes to it', async () => {
  const hex = createHash('sha1').update('blob 5000\0').update(FILES['weights.bin']).digest('hex');
  await mkdir(at('partial'), { recursive: true });
  const left = at('partial', `${hex}.999999.x`);
  await writeFile(left, 'w'.repeat(3_000));
  await fetchIt();
  expect(server.requests.some(({ range }) => range !== undefined)).toBe(false);
  await rm(at('snapshots'), { recursive: true });
  await utimes(left, 1, 1);
  await fetchIt();
  expect(server.requests.flatMap(({ range }) => range ?? [])).toEqual(['bytes=3000-']);
  expect(await readdir(at('partial'))).toEqual([]);
});
