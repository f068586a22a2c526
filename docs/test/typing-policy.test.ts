import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

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

const places: Record<'assertions' | 'spreads' | 'options', string[]> = { assertions: [], spreads: [], options: [] };

const isEmpty = (node: ts.Expression): boolean => ts.isObjectLiteralExpression(node) && node.properties.length === 0;
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
    if (ts.isSpreadAssignment(node) && ts.isParenthesizedExpression(node.expression)) {
      const { expression } = node.expression;
      if (ts.isConditionalExpression(expression) && [expression.whenTrue, expression.whenFalse].some(isEmpty)) {
        places.spreads.push(at);
      }
    }
    if (ts.isPropertySignature(node) && node.questionToken !== undefined && node.type !== undefined) {
      const parts = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
      if (name.includes('/src/') && !parts.some(isUndefined)) places.options.push(at);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}

describe('the typing policy', () => {
  it('reads the sources', () => {
    expect(program.getSourceFiles().length).toBeGreaterThan(400);
  });

  it('has no assertion on an indexed access that changes nothing', () => {
    expect(places.assertions).toEqual([]);
  });

  it('has no conditional spread', () => {
    expect(places.spreads).toEqual([]);
  });

  it('lets every optional field be undefined', () => {
    expect(places.options).toEqual([]);
  });
});
