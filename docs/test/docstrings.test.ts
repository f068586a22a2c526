import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
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

const entries = foldersOf('packages').flatMap(entriesOf);
const { config } = ts.readConfigFile(`${ROOT}tsconfig.base.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, ROOT);
const program = ts.createProgram(entries, options);
const checker = program.getTypeChecker();

const exported = new Set<ts.Symbol>();
const bare: string[] = [];

/** Fields whose names say it all, wherever they are. */
const PLAIN =
  'kind type row k signal seed name source text tokenIds logProbs vocabulary vocabularySize endTokenId tokenizer model runner dispose ' +
  'family';
const plain = new Set(PLAIN.split(' '));
const fields: string[] = [];

/** Public fields of an interface or class that neither have a docstring nor are spoken of in that of the whole. */
function bareFields(target: ts.Symbol, said: string): readonly string[] {
  return [...(target.members?.values() ?? [])]
    .filter(({ name, flags, valueDeclaration }) => {
      const field = flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor);
      if (
        !field ||
        valueDeclaration === undefined ||
        plain.has(name) ||
        name.startsWith('#') ||
        said.includes(`\`${name}`)
      )
        return false;
      const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
      return (ts.getCombinedModifierFlags(valueDeclaration) & hidden) === 0;
    })
    .filter((member) => member.getDocumentationComment(checker).length === 0)
    .map(({ name }) => name);
}

/** Notes what a module exports; of a namespace (`export * as rules`) what is in it. */
function visit(module: ts.Symbol): void {
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const place = target.declarations?.[0]?.getSourceFile().fileName ?? '';
    if (exported.has(target) || place.includes('node_modules')) continue;
    exported.add(target);
    if (target.flags & ts.SymbolFlags.ValueModule) {
      visit(target);
      continue;
    }
    const said = ts.displayPartsToString(target.getDocumentationComment(checker));
    const at = `${relative(ROOT, place)}: ${symbol.name}`;
    if (said === '') bare.push(at);
    // A docstring that gives shapes speaks of all arrays of the interface.
    const shapes = /\[\w+(, \w+)*\]/.test(said);
    if (place.includes('packages/core/') && !shapes)
      fields.push(...bareFields(target, said).map((field) => `${at}.${field}`));
  }
}

for (const entry of entries) {
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (module !== undefined) visit(module);
}

describe('what packages export', () => {
  it('is found', () => {
    expect(entries.length).toBeGreaterThan(15);
    expect(exported.size).toBeGreaterThan(600);
  });

  it('has a docstring, each export', () => {
    expect(bare).toEqual([]);
  });

  it('has a docstring for each field of the core that its name does not explain', () => {
    expect(fields).toEqual([]);
  });
});
