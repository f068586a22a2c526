import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folder } from '@foretoken/model-multi30k-en-de';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../src/index.js';
import { locateModel } from '../src/node/locate-model.js';

describe('where a model is', () => {
  let place: string;
  const before = process.cwd();
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'foretoken-locate-'));
    const packages = join(place, 'node_modules');
    await mkdir(join(packages, '@own', 'model'), { recursive: true });
    await mkdir(join(packages, 'elsewhere'), { recursive: true });
    await writeFile(join(packages, '@own', 'model', 'package.json'), '{ "name": "@own/model" }');
    await writeFile(join(packages, 'elsewhere', 'package.json'), '{ "foretoken": { "model": "weights/small" } }');
    await mkdir(join(place, 'both'));
    await mkdir(join(packages, 'both'));
    await writeFile(join(packages, 'both', 'package.json'), '{}');
    process.chdir(place);
  });
  afterAll(async () => {
    process.chdir(before);
    await rm(place, { recursive: true });
  });

  it('is a path, as it stands', async () => {
    for (const path of ['./model', '/models/de', '../x', 'a/b/c', 'Model With Spaces']) {
      expect(await locateModel(path)).toBe(path);
    }
  });

  it('is a file: URL, as an object or a string', async () => {
    const url = pathToFileURL(join(place, 'a model'));
    expect(await locateModel(url)).toBe(join(place, 'a model'));
    expect(await locateModel(url.href)).toBe(join(place, 'a model'));
  });

  it('is a package, by what it says or in its folder `model`, unless a folder has that name', async () => {
    const packages = join(process.cwd(), 'node_modules');
    expect(await locateModel('@own/model')).toBe(join(packages, '@own', 'model', 'model'));
    expect(await locateModel('elsewhere')).toBe(join(packages, 'elsewhere', 'weights/small'));
    expect(await locateModel('both')).toBe('both');
  });

  it('is refused by code where it is neither', async () => {
    for (const location of [undefined, null, 3, '', {}, new URL('https://host/model'), 'file://host/model']) {
      await expect(locateModel(location as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(openModelFolder('no-such-package')).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
  });

  it('is told by each model package', async () => {
    expect((await openModelFolder(folder)).manifest.name).toBe('multi30k-en-de');
  });
});
