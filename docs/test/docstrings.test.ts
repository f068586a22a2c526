import { relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { checker, ENTRIES, exportsOf, targetOf } from './public-program.js';
import { ROOT } from './source-files.js';

const exported = new Set<ts.Symbol>();
const bare: string[] = [];

/** Fields whose names say it all, wherever they are. */
const PLAIN =
  'kind type stage call row k signal seed name source text tokenIds logProbs vocabulary vocabularySize endTokenId tokenizer model runner dispose ' +
  'family';
const plain = new Set(PLAIN.split(' '));
const fields: string[] = [];

/** What an interface or class declares; of a type in a literal, or of several such, what stands in them. */
function membersOf(target: ts.Symbol): readonly ts.Symbol[] {
  const literals = (node: ts.Node | undefined): readonly ts.Symbol[] => {
    if (node === undefined) return [];
    if (ts.isTypeLiteralNode(node)) return [...(checker.getTypeAtLocation(node).symbol.members?.values() ?? [])];
    return ts.isIntersectionTypeNode(node) || ts.isUnionTypeNode(node) ? node.types.flatMap(literals) : [];
  };
  const aliases = (target.declarations ?? []).filter(ts.isTypeAliasDeclaration);
  return [...(target.members?.values() ?? []), ...aliases.flatMap(({ type }) => literals(type))];
}

/** Whether a docstring of the whole that gives shapes speaks of a field: it is an array of numbers. */
function isArray(declaration: ts.Declaration): boolean {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(declaration));
  return /^(Float|Int|Uint|BigInt)\w*Array\b/.test(checker.typeToString(type));
}

/** Public fields of an interface or class that neither have a docstring nor are spoken of in that of the whole. */
function bareFields(target: ts.Symbol, said: string): readonly string[] {
  const shapes = /\[\w+(, \w+)*\]/.test(said);
  return membersOf(target)
    .filter((member) => {
      const { name, flags, valueDeclaration } = member;
      const field = flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor);
      if (!field || valueDeclaration === undefined || plain.has(name) || name.startsWith('#')) return false;
      if (said.includes(`\`${name}`) || (shapes && isArray(valueDeclaration))) return false;
      const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
      return (ts.getCombinedModifierFlags(valueDeclaration) & hidden) === 0;
    })
    .filter((member) => member.getDocumentationComment(checker).length === 0)
    .map(({ name }) => name);
}

/** Notes what a module exports; of a namespace (`export * as rules`) what is in it. */
function visit(symbols: readonly ts.Symbol[]): void {
  for (const symbol of symbols) {
    const target = targetOf(symbol);
    const place = target.declarations?.[0]?.getSourceFile().fileName ?? '';
    if (exported.has(target) || place.includes('node_modules')) continue;
    exported.add(target);
    if (target.flags & ts.SymbolFlags.ValueModule) {
      visit(checker.getExportsOfModule(target));
      continue;
    }
    const said = ts.displayPartsToString(target.getDocumentationComment(checker));
    const at = `${relative(ROOT, place)}: ${symbol.name}`;
    if (said === '') bare.push(at);
    fields.push(...bareFields(target, said).map((field) => `${at}.${field}`));
  }
}

for (const entry of ENTRIES) visit(exportsOf(entry));

describe('what packages export', () => {
  it('is found', () => {
    expect(ENTRIES.length).toBeGreaterThan(15);
    expect(exported.size).toBeGreaterThan(600);
  });

  it('has a docstring, each export', () => {
    expect(bare).toEqual([]);
  });

  it('has a docstring for each field that its name does not explain', () => {
    expect(fields).toEqual([]);
  });
});
