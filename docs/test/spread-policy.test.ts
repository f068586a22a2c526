import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { SOURCES, textOf } from './source-files.js';

/** Calls that take a list as so many arguments: a list that is too long for the stack ends them with a RangeError. */
const CALLS = /^(?:Math\.(?:max|min|hypot)|String\.from(?:CharCode|CodePoint)|.*\.(?:push|unshift|splice|concat|of))$/s;
/** Programs of this repository, whose lists it knows. */
const OWN = /^(?:packages\/testkit|apps\/(?:bench|playground))\//;

/** Calls of a program that spread a list, each with its line. */
function spreads(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, false);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText(file);
      if (
        (CALLS.test(called) && node.arguments.some(ts.isSpreadElement)) ||
        /^(?:Math|String)\.\w+\.apply$/.test(called)
      ) {
        found.push(`${name}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1} ${called}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('lists as arguments of a call', () => {
  it('are found', () => {
    const text = 'Math.max(0, ...a); b.c.push(...d);\nInt32Array.of(1, ...e); String.fromCharCode.apply(null, f);';
    expect(spreads('x.ts', text)).toHaveLength(4);
    expect(spreads('x.ts', 'f(...a); [...a]; b.push([...a]); Math.max(1, 2);')).toEqual([]);
  });

  it('stand nowhere: largest, smallest, append and joinTokens of the kit take lists of any length', () => {
    expect(SOURCES.length).toBeGreaterThan(300);
    expect(SOURCES.filter((name) => !OWN.test(name)).flatMap((name) => spreads(name, textOf(name)))).toEqual([]);
  });
});
