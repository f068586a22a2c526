import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { optionRows } from './option-tables.js';
import { checker, ENTRIES, exportsOf, program, targetOf } from './public-program.js';

const PLUGINS = ['greedy', 'beam', 'speculative', 'one-shot', 'refine', 'correction'];

/** What the code fills each declared option with: `const { beamSize = 4 } = options`, `options.length ?? 1`. */
const filled = new Map<ts.Declaration, Set<string>>();

function note(option: ts.Symbol | undefined, value: ts.Expression): void {
  for (const declaration of option?.declarations ?? []) {
    if (!ts.isPropertySignature(declaration)) continue;
    filled.set(declaration, (filled.get(declaration) ?? new Set()).add(textOf(value)));
  }
}

/** The option that a pattern takes out of what stands on its right. */
function optionOf(element: ts.BindingElement): ts.Symbol | undefined {
  const { parent: pattern } = element;
  const { initializer } = pattern.parent;
  const name = (element.propertyName ?? element.name).getText();
  if (!ts.isObjectBindingPattern(pattern)) return undefined;
  const type = checker.getTypeAtLocation(initializer ?? pattern);
  return checker.getNonNullableType(type).getProperty(name);
}

/** The option that an expression reads, by itself or as a name of it. */
function optionRead(node: ts.Expression): ts.Symbol | undefined {
  const symbol = checker.getSymbolAtLocation(node);
  const declared = symbol?.valueDeclaration;
  return declared !== undefined && ts.isBindingElement(declared) ? optionOf(declared) : symbol;
}

/** The text of a default; of a constant, that of its value. */
function textOf(node: ts.Expression): string {
  const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
  const declared = symbol && targetOf(symbol).valueDeclaration;
  if (declared !== undefined && ts.isVariableDeclaration(declared) && declared.initializer !== undefined)
    return textOf(declared.initializer);
  return ts.isStringLiteral(node) ? node.text : node.getText();
}

for (const file of program.getSourceFiles()) {
  if (!/\/packages\/[^/]+\/src\//.test(file.fileName)) continue;
  const visit = (node: ts.Node): void => {
    if (ts.isBindingElement(node) && node.initializer !== undefined) note(optionOf(node), node.initializer);
    const chosen = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
    if (chosen) note(optionRead(node.left), node.right);
    ts.forEachChild(node, visit);
  };
  visit(file);
}

/** What the tables or docstrings may call a value: a number, `true`, `false` or a word in backticks. */
const LITERAL = /^-?[\d.,]+$|^true$|^false$|^`[\w-]+`$/;
const bare = (text: string): string => text.replaceAll(/[`,]/g, '');

/** The declaration of a function's option. */
function declarationOf(plugin: string, factory: string, option: string): ts.Declaration {
  const entry = ENTRIES.find(
    (file) => file.includes(`/packages/${plugin}/`) && file.endsWith('src/index.ts'),
  ) as string;
  const symbol = exportsOf(entry).find(({ name }) => name === factory) as ts.Symbol;
  const [signature] = checker.getTypeOfSymbol(targetOf(symbol)).getCallSignatures();
  const [found] = signature.getParameters().flatMap((parameter) => {
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
    return type.getProperty(option)?.declarations ?? [];
  });
  if (found === undefined) throw new Error(`${factory} has no option ${option}.`);
  return found;
}

const rows = PLUGINS.flatMap((plugin) =>
  optionRows(plugin)
    .filter(({ option }) => option !== 'score rules')
    .flatMap((row) => row.factories.map((factory) => ({ ...row, plugin, factory }))),
);

describe('defaults', () => {
  it('are found in the code', () => {
    expect(rows.length).toBeGreaterThan(100);
    expect(filled.size).toBeGreaterThan(60);
  });

  it.each(rows)('$factory: $option is $default where it is left out', ({ plugin, factory, option, default: told }) => {
    const values = [...(filled.get(declarationOf(plugin, factory, option)) ?? [])];
    const literals = values.filter((value) => LITERAL.test(value) || LITERAL.test(`\`${value}\``));
    if (LITERAL.test(told) && !(told === 'false' && values.length === 0)) expect(literals).toEqual([bare(told)]);
    // What is called none has no value, or one that does nothing.
    else if (told === 'none') expect(literals.filter((one) => !/^(false|0)$/.test(one))).toEqual([]);
  });

  it('are what docstrings call them, in all packages', () => {
    const spoken = [...filled].flatMap(([declaration, values]) => {
      const symbol = checker.getSymbolAtLocation((declaration as ts.PropertySignature).name);
      const said = ts.displayPartsToString(symbol?.getDocumentationComment(checker));
      const [, told] = /(?<!` )\(default:? (`[\w-]+`|[^\s`(),;]+)\)|; default (\S+)\.$/.exec(said) ?? [];
      return told === undefined || !LITERAL.test(told)
        ? []
        : [{ name: symbol?.name, told: bare(told), values: [...values] }];
    });
    expect(spoken.length).toBeGreaterThan(40);
    expect(spoken.filter(({ told, values }) => !values.includes(told))).toEqual([]);
  });
});
