import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface RealModelPackage {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
}

// The same from sources and from the built bench, both one folder below the bench's own.
const BENCH = join(dirname(fileURLToPath(import.meta.url)), '..');
const CACHE = process.env.FORETOKEN_REAL_MODELS ?? join(BENCH, '../../.real-models');

/** The packages that `npm run real-models` fetches. */
const packages = (): readonly RealModelPackage[] =>
  JSON.parse(readFileSync(join(BENCH, 'real-models.json'), 'utf8')) as RealModelPackage[];

/**
 * Folder of the files of a package that `npm run real-models` has fetched, or why there is none. Names are those of
 * `real-models.json`.
 */
export function realModel(name: string): { readonly folder: string } | { readonly missing: string } {
  const listed = packages().find((one) => one.name === name);
  if (listed === undefined) return { missing: `real-models.json lists no package ${name}` };
  const folder = join(CACHE, name);
  const mark = join(folder, 'package.json');
  const remedy = `run npm run real-models -- ${name}`;
  if (!existsSync(mark)) return { missing: `${listed.package} ${listed.version} was not fetched; ${remedy}` };
  const { sha256 } = JSON.parse(readFileSync(mark, 'utf8')) as Partial<RealModelPackage>;
  if (sha256 !== listed.sha256) return { missing: `another version of ${listed.package} is there; ${remedy}` };
  return { folder };
}

/** What models give by their own implementations, written by `data/models/make_goldens.py`. */
export function modelGoldens(name: string): unknown {
  return JSON.parse(readFileSync(join(BENCH, 'data/models', `${name}.json`), 'utf8')) as unknown;
}
