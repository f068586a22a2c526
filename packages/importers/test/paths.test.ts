import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { loadModel, openModelFolder } from '@foretoken/models';
import { writeModelFolder } from '@foretoken/models/internal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importCtcModel, importModel, importRecurrentSteps, inspectWeights } from '../src/index.js';

let folder: string;
beforeAll(async () => {
  // A name that terminals and logs obey.
  folder = await mkdtemp(join(tmpdir(), 'foretoken-\u001b[31m\n\u009b-'));
  await writeFile(join(folder, 'file'), '');
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await symlink('pipe', join(folder, 'link-to-pipe'));
  await symlink('circle', join(folder, 'circle'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const STEPS = { symbols: { target: ['a', 'b'] }, startTokenId: 0 };
const target = (): string => join(folder, 'target');

/** Every public function that takes a path, and each place for one. */
const READERS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['importModel', (path) => importModel(path, target())],
  ['importCtcModel', (path) => importCtcModel(path, target(), { dictionary: ['a', 'b'] })],
  ['importRecurrentSteps', (path) => importRecurrentSteps(path, target(), STEPS)],
  ['encoder', (path) => importRecurrentSteps(join(folder, 'step.onnx'), target(), { ...STEPS, encoder: path })],
  ['inspectWeights', (path) => inspectWeights(path)],
  ['loadModel', (path) => loadModel(path)],
  ['openModelFolder', (path) => openModelFolder(path)],
];
const WRITERS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['target of importModel', (path) => importModel(folder, path)],
  ['target of importCtcModel', (path) => importCtcModel(join(folder, 'file'), path, { dictionary: ['a', 'b'] })],
  ['target of importRecurrentSteps', (path) => importRecurrentSteps(join(folder, 'file'), path, STEPS)],
  ['writeModelFolder', (path) => writeModelFolder(path, {} as never, new Map())],
];
const STUDENTS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ...(['ctc', 'ctcFast', 'canvas', 'dag', 'edit'] as const).map(
    (name) => [name, (path: string) => importModel(folder, target(), { [name]: path })] as const,
  ),
  ['dictionary', (path) => importCtcModel(join(folder, 'file'), target(), { dictionary: path })],
];

async function refusal(run: Promise<unknown>): Promise<ForetokenError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ForetokenError);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect((error as ForetokenError).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  return error as ForetokenError;
}

describe('a path', () => {
  test.each([...READERS, ...WRITERS, ...STUDENTS])('that is none is refused: %s', async (_, call) => {
    for (const path of ['', 'a\0b', 7, null, {}]) {
      expect((await refusal(call(path as string))).code).toBe('INVALID_ARGUMENT');
    }
  });

  test.each([...READERS, ...WRITERS, ...STUDENTS])('may be a file: URL, as a text or not: %s', async (name, call) => {
    const missing = join(folder, 'not there', 'so%20named');
    for (const url of [pathToFileURL(missing), pathToFileURL(missing).href]) {
      const { code, message } = await refusal(call(url as string));
      // What is wrong is something else, or that there is nothing at the path, which the URL spells in another way.
      expect(`${code} ${message}`).not.toMatch(/file:|so%2520named/);
      if (READERS.some(([reader]) => reader === name && reader !== 'encoder')) expect(message).toContain('so%20named');
    }
    for (const url of ['file://%2f/', 'file:///a%2fb', 'file:///a%00b']) {
      expect((await refusal(call(url))).code).toBe('INVALID_ARGUMENT');
    }
    expect(await readdir('.')).not.toContain('file:');
  });

  test.skipIf(process.platform === 'win32').each(READERS)(
    'that leads to something else is refused at once, by what it is: %s',
    async (_, call) => {
      for (const [path, words] of [
        [join(folder, 'pipe'), /a pipe/],
        [join(folder, 'link-to-pipe'), /a pipe/],
        ['/dev/zero', /a device/],
        [join(folder, 'file', 'deeper'), /below something that is no folder|is not a folder/],
        [join(folder, 'circle'), /symbolic links/],
        [join(folder, 'x'.repeat(300)), /too long a name/],
        [join(folder, 'nowhere'), /nowhere/],
      ] as const) {
        expect((await refusal(call(path))).message).toMatch(words);
      }
    },
  );

  test.skipIf(process.platform === 'win32').each(WRITERS)(
    'that nothing can be written to is refused: %s',
    async (_, call) => {
      for (const path of ['pipe', 'file', 'circle', 'file/deeper', 'x'.repeat(300)]) {
        await refusal(call(join(folder, path)));
      }
    },
  );
});
