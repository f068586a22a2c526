import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** Source files of packages and of the apps that people run, by their paths from the root. */
export const SOURCES: readonly string[] = [
  ...foldersOf('packages').map((name) => `packages/${name}/src`),
  'apps/cli/src',
  'apps/playground/src',
].flatMap((folder) => filesUnder(folder));

/** Test files of packages, apps and docs. */
export const TESTS: readonly string[] = [
  ...['packages', 'apps'].flatMap((folder) => foldersOf(folder).map((name) => `${folder}/${name}/test`)),
  'docs/test',
].flatMap((folder) => filesUnder(folder));

/** Programs of the repository itself. */
export const SCRIPTS: readonly string[] = filesUnder('scripts', /\.mjs$/);

/** The benches, and the pages and examples that people copy from. */
export const PROGRAMS_AND_PAGES: readonly string[] = [
  ...filesUnder('apps/bench/src'),
  ...filesUnder('docs/examples'),
  ...['guide', 'plugins', 'zh'].flatMap((name) => filesUnder(`docs/${name}`, /\.md$/)),
  ...foldersOf('packages').flatMap((name) => filesUnder(`packages/${name}`, /^README\.md$/)),
];

/** Names of the folders in a folder. */
export function foldersOf(folder: string): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function filesUnder(folder: string, name = /\.tsx?$/): readonly string[] {
  try {
    return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((file) => name.test(file))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      .sort();
  } catch {
    // A package of data has no sources.
    return [];
  }
}

/** The text of a source file. */
export const textOf = (file: string): string => readFileSync(`${ROOT}${file}`, 'utf8');

/** Source files that a source file imports, types too, by their paths; dynamic imports where they are asked for. */
export function importsOf(file: string, dynamic: boolean): readonly string[] {
  const text = textOf(file);
  const later = new Set([...text.matchAll(/\bimport\(\s*'(\.[^']+)'\s*\)/g)].map(([, path]) => path));
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.') && (dynamic || !later.has(name)))
    .flatMap((name) => {
      const { pathname } = new URL(name, `file:///${file}`);
      const path = pathname.slice(1);
      return SOURCES.filter((source) => source === path || source.replace(/\.tsx?$/, '.js') === path);
    });
}
