import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

const GUIDE = fileURLToPath(new URL('../guide/', import.meta.url));
/** Inside the repository, so that programs resolve the workspace's packages. */
const CACHE = fileURLToPath(new URL(`../../node_modules/.cache/newcomer-${process.pid}/`, import.meta.url));
afterAll(() => rmSync(CACHE, { recursive: true, force: true }));

const page = (name: string): string => readFileSync(join(GUIDE, name), 'utf8');
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}(?: no-run)?\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code ?? '');

/** What a Node.js that knows no types says of a program; `await using` is newer than the oldest Node.js. */
function faultsOf(code: string): string[] {
  const file = 'main.mjs';
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const host = { ...ts.createCompilerHost({}), getSourceFile: (name: string) => (name === file ? source : undefined) };
  const program = ts.createProgram([file], { allowJs: true, noLib: true, noResolve: true }, host);
  const faults = program
    .getSyntacticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return /^\s*await using\b/m.test(code) ? [...faults, 'await using'] : faults;
}

/** Programs with types: their pages say so, or are followed in a project for TypeScript. */
const TOLD_TYPES = ['ctc-models.md', 'speech.md', 'write-a-decoder.md', 'write-a-drafter.md', 'your-model.md'];
const WITH_TYPES = [...TOLD_TYPES, 'integrations.md'];

describe('programs of the guide', () => {
  it('the check finds types and what is too new', () => {
    expect(faultsOf('console.log((error as Error).message);')).not.toEqual([]);
    expect(faultsOf('const f = (x: number) => x;')).not.toEqual([]);
    expect(faultsOf('await using model = await load();')).not.toEqual([]);
    expect(faultsOf("import { a } from 'b';\nconst x = await a();")).toEqual([]);
  });

  it.each(readdirSync(GUIDE).filter((name) => name.endsWith('.md') && !WITH_TYPES.includes(name)))(
    '%s: run as they stand, saved as main.mjs',
    (name) => {
      for (const code of blocksOf(page(name), 'ts')) expect(faultsOf(code), code).toEqual([]);
    },
  );

  it.each(TOLD_TYPES)('%s: has types, and says how TypeScript is run', (name) => {
    expect(page(name)).toContain('(./quick-start#in-typescript)');
  });
});

it('the drafter of the page decodes with a model, as the page says', async () => {
  const text = page('write-a-drafter.md');
  const [test = ''] = blocksOf(text, 'ts');
  const [program = ''] = blocksOf(text, 'js');
  const imports = test.split('\n').filter((line) => line.includes("from '@foretoken/core"));
  const begin = test.indexOf('const createMyDrafter');
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(
    join(CACHE, 'my-drafter.ts'),
    `${imports.join('\n')}\nexport ${test.slice(begin, test.indexOf('\n});\n', begin) + 5)}`,
  );
  writeFileSync(
    join(CACHE, 'program.ts'),
    program.replaceAll('console.log(text, statistics.forwards)', 'export const said = [text, statistics.forwards]'),
  );
  const { said } = await import(/* @vite-ignore */ pathToFileURL(join(CACHE, 'program.ts')).href);
  expect(said).toEqual(['Ein Mann fährt Fahrrad.', expect.any(Number)]);
});
