import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { externalFiles } from '../src/folder/external-data.js';
import { isPlainFileName } from '../src/folder/file-names.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { editManifest, modelFolder, refusal } from './folder-fixtures.js';

const DIGEST = 'a'.repeat(64);

describe('hostile file names', () => {
  test.each([
    '../outside.bin',
    'graphs/../../outside.bin',
    '/etc/passwd',
    'graphs//step.onnx',
    './encoder.onnx',
    'graphs/',
    '',
    '.',
    '..',
    '.hidden',
    'a\\..\\b',
    'C:evil.bin',
    'C:/evil.bin',
    'a\0b',
    'encoder.onnx\n',
    'con',
    'graphs/NUL.onnx',
    'ends.with.',
    'grün.onnx',
    '__proto__',
    'constructor',
    `${'a/'.repeat(9)}b`,
    'x'.repeat(201),
  ])('%j is refused where a graph is named and where files are listed', async (name) => {
    const path = await modelFolder();
    await editManifest(path, ['graphs', 'encoder'], name);
    expect(await refusal(() => openModelFolder(path))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'foretoken.json', field: 'graphs.encoder', received: name },
    });
    await editManifest(path, ['graphs', 'encoder'], 'encoder.onnx');
    await editManifest(path, ['files', name], { bytes: 3, sha256: DIGEST });
    const error = await refusal(() => openModelFolder(path));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  test('names of devices are no file names on any system, and names that only look alike are', () => {
    for (const name of ['con', 'NUL', 'aux.onnx', 'graphs/prn.bin', 'COM1', 'lpt9.txt']) {
      expect(isPlainFileName(name), name).toBe(false);
    }
    for (const name of ['console', 'nully.onnx', 'com', 'com10x.bin', 'auxiliary/prn_1.bin']) {
      expect(isPlainFileName(name), name).toBe(true);
    }
  });

  test('external data of a graph must be a plain, listed file beside it', async () => {
    const { manifest } = await openModelFolder(await modelFolder());
    const check = (location: string, graph: string): void => {
      const description = { inputs: new Map(), outputs: new Map(), externalLocations: [location], nestedLocations: [] };
      externalFiles(description, 'folder', graph, manifest);
    };
    expect(() => check('weights.bin', 'encoder.onnx')).not.toThrow();
    expect(() => check('step.onnx', 'graphs/step.onnx')).not.toThrow();
    for (const [location, graph] of [
      ['../weights.bin', 'graphs/step.onnx'],
      ['weights.bin', 'graphs/step.onnx'],
      ['/etc/passwd', 'encoder.onnx'],
      ['unlisted.bin', 'encoder.onnx'],
      ['', 'encoder.onnx'],
      ['a\0', 'encoder.onnx'],
      ['toString', 'encoder.onnx'],
    ] as const) {
      const error = await refusal(() => check(location, graph));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: graph, received: location } });
    }
  });
});

describe('hostile files', () => {
  const outside = async (path: string): Promise<string> => {
    const file = join(path, '..', 'outside.bin');
    await writeFile(file, Uint8Array.of(1, 2, 3));
    return file;
  };

  test.each<[string, string, (path: string) => Promise<unknown>, string]>([
    ['missing', 'encoder.onnx', (path) => rm(join(path, 'encoder.onnx')), 'missing'],
    [
      'symbolic link to the very same content outside',
      'encoder.onnx',
      async (path) => {
        await rm(join(path, 'encoder.onnx'));
        await symlink(await outside(path), join(path, 'encoder.onnx'));
      },
      'a symbolic link',
    ],
    [
      'symbolic link inside the folder',
      'encoder.onnx',
      async (path) => {
        await rename(join(path, 'encoder.onnx'), join(path, 'other.onnx'));
        await symlink('other.onnx', join(path, 'encoder.onnx'));
      },
      'a symbolic link',
    ],
    [
      'below a symbolic link to a folder',
      'graphs/step.onnx',
      async (path) => {
        await rename(join(path, 'graphs'), join(path, '..', 'graphs'));
        await symlink(join(path, '..', 'graphs'), join(path, 'graphs'));
      },
      'a symbolic link',
    ],
    [
      'below a file',
      'graphs/step.onnx',
      async (path) => {
        await rm(join(path, 'graphs'), { recursive: true });
        await writeFile(join(path, 'graphs'), 'x');
      },
      'a folder',
    ],
    [
      'a folder',
      'encoder.onnx',
      async (path) => {
        await rm(join(path, 'encoder.onnx'));
        await mkdir(join(path, 'encoder.onnx'));
      },
      'a regular file',
    ],
    [
      'a device',
      'encoder.onnx',
      async (path) => {
        await rm(join(path, 'encoder.onnx'));
        await symlink('/dev/zero', join(path, 'encoder.onnx'));
      },
      'a symbolic link',
    ],
    ['truncated', 'weights.bin', (path) => truncate(join(path, 'weights.bin'), 2_999_999), 'truncated'],
    ['oversized', 'weights.bin', (path) => truncate(join(path, 'weights.bin'), 3_000_001), 'oversized'],
    ['very oversized', 'weights.bin', (path) => truncate(join(path, 'weights.bin'), 2 ** 40), 'oversized'],
    [
      'of another content',
      'weights.bin',
      async (path) => {
        const bytes = await readFile(join(path, 'weights.bin'));
        bytes[2_999_999] = 8;
        await writeFile(join(path, 'weights.bin'), bytes);
      },
      'SHA-256',
    ],
  ])('%s', async (_, file, damage, words) => {
    const path = await modelFolder();
    await damage(path);
    const error = await refusal(() => openModelFolder(path));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(error.message).toContain(words);
    expect(error.message).toContain(file.split('/')[0]);
  });

  test.skipIf(process.platform === 'win32').each(['encoder.onnx', 'foretoken.json'])(
    'a pipe in place of %s does not hang',
    async (file) => {
      const path = await modelFolder();
      await rm(join(path, file));
      execFileSync('mkfifo', [join(path, file)]);
      const error = await refusal(() => openModelFolder(path));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
      expect(error.message).toContain('a pipe');
    },
  );
});

describe('a download gone wrong', () => {
  const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${DIGEST}\nsize 3000000\n`;
  const PAGE = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>';

  test.each(['weights.bin', 'encoder.onnx', 'tokenizer.json', 'foretoken.json'])(
    'in place of %s is named',
    async (file) => {
      for (const [content, words] of [
        [POINTER, 'git lfs pull'],
        [PAGE, 'a web page'],
        [`\n  ${PAGE.toLowerCase()}`, 'a web page'],
        [`\ufeff${PAGE}`, 'a web page'],
      ] as const) {
        const path = await modelFolder();
        await writeFile(join(path, file), content);
        const error = await refusal(() => openModelFolder(path));
        expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
        expect(error.message).toContain(words);
      }
    },
  );

  test('is as good as any file where the manifest lists it', async () => {
    const path = await modelFolder();
    await writeFile(join(path, 'weights.bin'), POINTER);
    await editManifest(path, ['files', 'weights.bin'], {
      bytes: POINTER.length,
      sha256: createHash('sha256').update(POINTER).digest('hex'),
    });
    expect((await openModelFolder(path)).manifest.name).toBe('tiny');
  });
});
