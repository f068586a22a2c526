import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyse } from 'scslre';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Its expressions are tried on chunks of at most 100 characters. */
const BOUNDED = 'packages/correction/src/protected-spans.ts';

interface Place {
  readonly file: string;
  readonly line: number;
  readonly expression: string;
}

/** Every regular expression that is written in what users run. */
function expressions(): Place[] {
  const found: Place[] = [];
  const names = ts.sys
    .readDirectory(
      ROOT,
      ['.ts', '.tsx'],
      ['**/node_modules', '**/dist', '**/*.d.ts'],
      ['packages/*/src', 'apps/cli/src'],
    )
    .toSorted();
  for (const name of names) {
    const source = ts.createSourceFile(name, ts.sys.readFile(name) ?? '', ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        found.push({ file: relative(ROOT, name), line, expression: node.text });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Whether some text makes it take more than linear time. */
function isSlow(expression: string): boolean {
  const end = expression.lastIndexOf('/');
  const { reports } = analyse({ source: expression.slice(1, end), flags: expression.slice(end + 1) });
  return reports.length > 0;
}

describe('regular expressions', () => {
  it('take linear time on every text', () => {
    const all = expressions();
    expect(all.length).toBeGreaterThan(100);
    const slow = all.filter(({ file, expression }) => file !== BOUNDED && isSlow(expression));
    expect(slow).toEqual([]);
  });

  it.each([String.raw`/\s+$/`, '/(a+)+$/', String.raw`/(?:\s|\s\|)+$/u`, String.raw`/^\d+\.?\d*$/`])(
    'such as %s are found',
    (expression) => {
      expect(isSlow(expression)).toBe(true);
    },
  );
});
