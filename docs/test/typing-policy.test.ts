import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { SOURCES, textOf } from './source-files.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(
  `${ROOT}/tsconfig.json`,
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(String(messageText));
    },
  },
) as ts.ParsedCommandLine;
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

const places: Record<'assertions' | 'lookups' | 'spreads' | 'options', string[]> = {
  assertions: [],
  lookups: [],
  spreads: [],
  options: [],
};

/** Whether all that an assertion does is to take `undefined` or `null` away: where something may be missing, code asks. */
function takesAway(node: ts.AsExpression | ts.NonNullExpression): boolean {
  const type = checker.getTypeAtLocation(node.expression);
  const there = checker.getNonNullableType(type);
  if (there === type || type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return false;
  if (ts.isNonNullExpression(node)) return true;
  const asserted = checker.getTypeFromTypeNode(node.type);
  return checker.isTypeAssignableTo(there, asserted) && !checker.isTypeAssignableTo(type, asserted);
}

const isUndefined = (node: ts.TypeNode): boolean =>
  node.kind === ts.SyntaxKind.UndefinedKeyword || node.kind === ts.SyntaxKind.UnknownKeyword;

for (const file of program.getSourceFiles()) {
  const name = relative(ROOT, file.fileName);
  if (!/^(packages|apps)\/.*\/(src|test)\//.test(name)) continue;
  const visit = (node: ts.Node): void => {
    const at = `${name}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText().slice(0, 80)}`;
    if (ts.isAsExpression(node) && ts.isElementAccessExpression(node.expression)) {
      const same = checker.getTypeAtLocation(node.expression) === checker.getTypeFromTypeNode(node.type);
      if (same) places.assertions.push(at);
    }
    if (ts.isNonNullExpression(node) && ts.isElementAccessExpression(node.expression)) {
      const type = checker.getTypeAtLocation(node.expression);
      if (checker.getNonNullableType(type) === type) places.assertions.push(at);
    }
    if ((ts.isAsExpression(node) || ts.isNonNullExpression(node)) && SOURCES.includes(name) && takesAway(node)) {
      places.lookups.push(at);
    }
    if (ts.isPropertySignature(node) && node.questionToken !== undefined && node.type !== undefined) {
      const parts = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
      if (name.includes('/src/') && !parts.some(isUndefined)) places.options.push(at);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}

/** What a spread in an object literal may not be: a choice of fields, or of fields and none. */
function isConditional(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isConditional(node.expression);
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].some(isLiteral);
  if (!ts.isBinaryExpression(node) || !isLiteral(node.right)) return false;
  const operator = node.operatorToken.getText();
  return operator === '&&' || (/^(\|\||\?\?)$/.test(operator) && /^[({\s})]*$/.test(node.right.getText()));
}

function isLiteral(node: ts.Expression): boolean {
  return ts.isParenthesizedExpression(node) ? isLiteral(node.expression) : ts.isObjectLiteralExpression(node);
}

/** Conditional spreads of a file, which needs no types; the code of a page of documentation is in its fences. */
function conditionalSpreads(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isSpreadAssignment(node) && isConditional(node.expression)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${name}:${line + 1} ${node.getText().slice(0, 80)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** A choice between fields and none, which is a conditional spread as soon as somebody spreads what it gives. */
function isChoiceOfNone(node: ts.Node | undefined): node is ts.ConditionalExpression {
  if (node === undefined || !ts.isConditionalExpression(node)) return false;
  return [node.whenTrue, node.whenFalse].some((branch) => isLiteral(branch) && /^[({\s})]*$/.test(branch.getText()));
}

/** Where a file chooses between fields and none: in a literal, or by a name that it spreads. */
function choicesOfNone(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const named = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && isChoiceOfNone(node.initializer)) named.add(node.name.getText());
    const chosen = isChoiceOfNone(node) && [node.whenTrue, node.whenFalse].every(isLiteral);
    if (chosen || (ts.isSpreadAssignment(node) && named.has(node.expression.getText()))) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${name}:${line + 1} ${node.getText().slice(0, 80)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** All files of the repository that hold code of ours. */
function* codeFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(`${ROOT}/${folder}`, { withFileTypes: true })) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const made = /^(node_modules|dist|coverage|cache|\..*)$/.test(entry.name);
    if (entry.isDirectory() && !made) yield* codeFiles(name);
    if (entry.isFile() && /\.([cm]?[jt]s|tsx|md)$/.test(entry.name)) yield name;
  }
}

const all = [...codeFiles('')];
for (const name of all) {
  const text = readFileSync(`${ROOT}/${name}`, 'utf8');
  const parts = name.endsWith('.md')
    ? [...text.matchAll(/```(?:ts|js|tsx|mjs)\b[^\n]*\n(.*?)```/gs)].map(([, code]) => code)
    : [text];
  for (const part of parts) places.spreads.push(...conditionalSpreads(name.replace(/\.md$/, '.md.ts'), part));
}

describe('the typing policy', () => {
  it('reads the sources', () => {
    expect(program.getSourceFiles().length).toBeGreaterThan(400);
  });

  it('has no assertion on an indexed access that changes nothing', () => {
    expect(places.assertions).toEqual([]);
  });

  it('has no assertion in its sources that only takes undefined away', () => {
    expect(places.lookups).toEqual([]);
  });

  it('knows a conditional spread in all its forms', () => {
    const forms = ['c ? { a } : {}', 'c && { a }', 'a ?? {}', 'c ? { a } : { b }', '(c || {})'];
    for (const form of forms) expect(conditionalSpreads('any.ts', `f({ ...(${form}) });`), form).toHaveLength(1);
    for (const form of ['a', 'c ? a : b', 'a ?? { b }', 'of(a)', '{ a }']) {
      expect(conditionalSpreads('any.ts', `f({ ...(${form}) });`), form).toEqual([]);
    }
  });

  it('has no conditional spread', () => {
    expect(all.length).toBeGreaterThan(900);
    expect(places.spreads).toEqual([]);
  });

  it('knows a choice between fields and none', () => {
    const forms = ['const a = c ? { b } : {};', 'f(c ? {} : ({ b }));', 'const a = c ? of(b) : {}; f({ ...a });'];
    for (const form of forms) expect(choicesOfNone('any.ts', form), form).toHaveLength(1);
    for (const form of ['const a = c ? of(b) : {};', 'f(c ? { a } : { b });', 'f({ a: c ? a : undefined });']) {
      expect(choicesOfNone('any.ts', form), form).toEqual([]);
    }
  });

  it('has no choice between fields and none in its sources: a field that may be missing is undefined', () => {
    expect(SOURCES.flatMap((name) => choicesOfNone(name, textOf(name)))).toEqual([]);
  });

  it('lets every optional field be undefined', () => {
    expect(places.options).toEqual([]);
  });
});
