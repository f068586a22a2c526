import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Folder {
  readonly source: string;
  readonly read: (folder: string, target: string) => Promise<unknown>;
  /** What is read of it; of weights of a graph, which are but bytes, see the tests of graphs. */
  readonly files: readonly string[];
}

const FOLDERS: Readonly<Record<string, Folder>> = {
  CTranslate2: {
    source: at('goldens/whisper/ctranslate2'),
    read: (folder, target) => importModel(folder, target, { replace: true }),
    files: ['config.json', 'tokenizer.json', 'model.bin'],
  },
  'CTranslate2, an encoder-decoder': {
    source: at('goldens/ctranslate2/onmt-bfloat16'),
    read: (folder, target) => importModel(folder, target, { replace: true }),
    files: ['config.json', 'sentencepiece.model', 'source_vocabulary.txt', 'target_vocabulary.txt', 'model.bin'],
  },
  Firefox: {
    source: at('../../models/test/goldens/marian-bin/firefox'),
    read: (folder, target) => importModel(folder, target, { replace: true }),
    files: ['vocab.aaen.spm', 'model.aaen.intgemm.alphas.bin'],
  },
  GGUF: {
    source: at('goldens/gguf'),
    read: (folder, target) => importModel(join(folder, 'llama-pieces.gguf'), target, { replace: true }),
    files: ['llama-pieces.gguf'],
  },
  genai: {
    source: at('../../models/test/goldens/exports/genai'),
    read: async (folder) => (await loadModel(folder, { probe: false })).dispose(),
    files: ['genai_config.json', 'tokenizer.json', 'decoder.onnx'],
  },
};

const DEEP = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

/** Puts something else in the place of a file. */
const HOSTILE: Readonly<Record<string, (path: string, good: Uint8Array) => Promise<unknown>>> = {
  'a pipe': async (path) => execFileSync('mkfifo', [path]),
  'a link to a pipe': async (path) => {
    execFileSync('mkfifo', [`${path}.pipe`]);
    await symlink(`${path}.pipe`, path);
  },
  'a device': (path) => symlink('/dev/zero', path),
  'a link to itself': (path) => symlink(path, path),
  'a link to nothing': (path) => symlink(`${path}.gone`, path),
  'a directory': (path) => mkdir(path),
  '2 GB of nothing': async (path, good) => {
    await writeFile(path, good);
    await truncate(path, 2 * 1024 ** 3);
  },
  'deep JSON': (path) => writeFile(path, DEEP),
  'deep lists': (path) => writeFile(path, '['.repeat(1_000_000)),
  'a web page': (path) => writeFile(path, '<!DOCTYPE html><html>Sign in</html>'),
  'an LFS pointer': (path) =>
    writeFile(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 75537502\n'),
  nothing: (path) => writeFile(path, ''),
  'a list': (path) => writeFile(path, '[]'),
  'a number': (path) => writeFile(path, '1'),
  null: (path) => writeFile(path, 'null'),
  'bad UTF-8': (path) => writeFile(path, Uint8Array.of(255, 254, 0, 255)),
  'a BOM': (path, good) => writeFile(path, Buffer.concat([Buffer.from('\ufeff'), good])),
  CRLF: (path, good) => writeFile(path, Buffer.from(good).toString('utf8').replaceAll('\n', '\r\n')),
};

const CASES = Object.entries(FOLDERS).flatMap(([kind, { files }]) => files.map((file) => [kind, file] as const));

describe.skipIf(process.platform === 'win32')('what lies in the place of a file', () => {
  it.each(CASES)('of a folder of %s is refused by name, and the model before stays: %s', async (kind, file) => {
    const { source, read } = FOLDERS[kind];
    const parent = await temporaryFolder();
    const target = join(parent, 'target');
    await importModel(join(FOLDERS.GGUF.source, 'qwen2.gguf'), target);
    const state = async () => [await readFile(join(target, 'foretoken.json'), 'utf8'), await readdir(parent)];
    let before = await state();
    const good = await readFile(join(source, file));
    for (const [what, put] of Object.entries(HOSTILE)) {
      const folder = join(await temporaryFolder(), 'folder');
      await cp(source, folder, { recursive: true });
      await rm(join(folder, file));
      await put(join(folder, file), good);
      const error = await read(folder, target).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) {
        // Text may begin with a mark and end its lines in another way. Zeros behind all tensors change none of them.
        expect(`${file}: ${what}`).toMatch(/(?:json|txt): (?:a BOM|CRLF)|gguf: 2 GB/);
        before = await state();
        continue;
      }
      expect(error, what).toMatchObject({ code: expect.stringMatching(/^(INVALID_MODEL_FOLDER|UNSUPPORTED_MODEL)$/) });
      expect(String(error), what).toContain(file);
      expect(await state(), what).toEqual(before);
    }
  });
});
