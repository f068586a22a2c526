import { execFileSync } from 'node:child_process';
import { cp, mkdir, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '@foretoken/models';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4711\n';
const PAGE = '\n<!doctype html><html><head><title>Sign in</title></head></html>';

describe.skipIf(process.platform === 'win32')('a file beside weights', () => {
  const plants: Readonly<Record<string, (path: string) => Promise<unknown> | unknown>> = {
    pipe: (path) => execFileSync('mkfifo', [path]),
    device: (path) => symlink('/dev/zero', path),
    folder: (path) => mkdir(path),
    'link to nowhere': (path) => symlink('nowhere', path),
    '2 GB': async (path) => {
      const file = await open(path, 'w');
      await file.truncate(2 ** 31);
      await file.close();
    },
    'Git LFS pointer': (path) => writeFile(path, LFS),
    'web page': (path) => writeFile(path, PAGE),
    'text of no kind': (path) => writeFile(path, 'no weights'),
  };
  test.each(
    Object.keys(plants).flatMap((kind) => ['ngrams.safetensors', 'shortlist.safetensors'].map((file) => [kind, file])),
  )('%s as %s is refused by name, unread', async (kind, file) => {
    const [weights, ctc] = [await weightsOf('marian'), await weightsOf('ctc')];
    await plants[kind]?.(join(ctc, file));
    const target = join(await temporaryFolder(), 'model');
    const error = await refusal(() => importModel(weights, target, { ctc }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    if (kind === '2 GB') expect(error.details).toMatchObject({ received: 2 ** 31, required: 2 ** 29 });
    expect(await readdir(join(target, '..'))).toEqual([]);
  });

  test.each(['pipe', 'device', 'folder', '2 GB'])('%s as generation_config.json is refused', async (kind) => {
    const weights = await weightsOf('marian');
    await plants[kind]?.(join(weights, 'generation_config.json'));
    const error = await refusal(() => importModel(weights, join(weights, 'model')));
    expect(error.details.file).toBe('generation_config.json');
  });
});

describe('files that are not what their names say', () => {
  test.each(['config.json', 'tokenizer.json', 'model.safetensors'])('a pointer or page as %s', async (file) => {
    for (const [content, words] of [
      [LFS, 'git lfs pull'],
      [PAGE, 'web page'],
    ] as const) {
      const weights = await weightsOf('marian');
      await writeFile(join(weights, file), content);
      const error = await refusal(() => importModel(weights, join(weights, 'model')));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
      expect(error.message).toContain(words);
    }
  });

  test('a pointer or page as the manifest or the weights of a model folder', async () => {
    const source = join(await temporaryFolder(), 'model');
    await importModel(await weightsOf('marian'), source);
    for (const file of ['foretoken.json', 'weights.bin', 'encoder.onnx']) {
      for (const [content, words] of [
        [LFS, 'git lfs pull'],
        [PAGE, 'web page'],
      ] as const) {
        const folder = join(await temporaryFolder(), 'model');
        await cp(source, folder, { recursive: true });
        await writeFile(join(folder, file), content);
        const error = await refusal(() => openModelFolder(folder));
        expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
        expect(error.message).toContain(words);
      }
    }
  });

  test('a SentencePiece tokenizer of which a part is missing', async () => {
    const weights = await weightsOf('marian');
    await rm(join(weights, 'tokenizer.json'));
    for (const name of ['source.spm', 'vocab.json']) await writeFile(join(weights, name), '');
    const error = await refusal(() => importModel(weights, join(weights, 'model')));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'target.spm' } });
    expect(error.message).toContain('Fetch the missing files');
  });
});
