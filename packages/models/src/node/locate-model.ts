import { access } from 'node:fs/promises';
import nodeModule from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';
import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { type FileLocation, filePath, isFileUrl } from './file-path.js';
import { readRegularFile } from './safe-file.js';

/** A package name, with a scope or without. */
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** Where a model package keeps its folder, unless its package.json says otherwise in `foretoken.model`. */
const MODEL_FOLDER = 'model';

/** Far above any package.json. */
const PACKAGE_BYTES = 4 * 1024 ** 2;

/**
 * The path that a location names. What is a folder is taken as one; a package is looked for from the working directory.
 *
 * Throws `INVALID_ARGUMENT` for anything but a string or a URL, and for a URL that is no file's; `INVALID_MODEL_FOLDER` for a
 * package with a scope that is not installed.
 */
export async function locateModel(location: FileLocation): Promise<string> {
  if (isFileUrl(location)) return filePath('location', location);
  if (typeof location !== 'string' || location === '') {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The location of a model must be a path, a file: URL or a package name, but was ${show(location)}.`,
      { option: 'location', received: location, required: 'a path, a file: URL or a package name' },
    );
  }
  if (!PACKAGE_NAME.test(location) || (await exists(location))) return location;
  const folder = await packageFolder(location);
  // Nobody has a folder of such a name by chance.
  if (folder === undefined && location.startsWith('@')) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${location} is neither a folder nor an installed package. Run \`npm i ${location}\`, or check the path.`,
      { package: location },
    );
  }
  return folder ?? location;
}

/** The model folder of an installed package; `undefined` where there is no such package. */
async function packageFolder(name: string): Promise<string | undefined> {
  // By the module's name: webpack replaces a `createRequire` that is imported by its own name, and gives undefined here.
  const { resolve: find } = nodeModule.createRequire(pathToFileURL(resolve('index.js')));
  let file: string;
  try {
    file = find(`${name}/package.json`);
  } catch {
    return undefined;
  }
  const place = { folder: dirname(file), file: 'package.json' };
  // Package managers lay out packages by links.
  const bytes = await readRegularFile(place, { links: true, max: PACKAGE_BYTES });
  const content = parseJson(decodeUtf8(bytes, place.file, place), place.file, place);
  const own = isObject(content) ? content.foretoken : undefined;
  const folder = isObject(own) ? own.model : undefined;
  return join(place.folder, typeof folder === 'string' ? folder : MODEL_FOLDER);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
