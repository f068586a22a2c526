import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { foldersOf, ROOT } from './source-files.js';

/** The source files that a package's `exports` name: what users import. */
function entriesOf(name: string): readonly string[] {
  const folder = `${ROOT}packages/${name}`;
  const { exports = {} } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    readonly exports?: Readonly<Record<string, { readonly 'foretoken-source'?: unknown }>>;
  };
  const paths = (value: unknown): readonly string[] =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(paths);
  return Object.values(exports).flatMap((entry) => paths(entry['foretoken-source']).map((path) => `${folder}/${path}`));
}

/** The entries of all packages. */
export const ENTRIES: readonly string[] = foldersOf('packages').flatMap(entriesOf);

const { config } = ts.readConfigFile(`${ROOT}tsconfig.base.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, ROOT);

/** The sources of all packages, as the compiler reads them. */
export const program: ts.Program = ts.createProgram(ENTRIES, options);
export const checker: ts.TypeChecker = program.getTypeChecker();

/** What an entry exports, under the names that users import. */
export function exportsOf(entry: string): readonly ts.Symbol[] {
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  return module === undefined ? [] : checker.getExportsOfModule(module);
}

/** What an exported name stands for. */
export const targetOf = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
