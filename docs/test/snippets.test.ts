import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCtcGraph } from '../../packages/importers/test/ctc-fixture.js';
import { wavOf } from '../../packages/models/test/wav-fixture.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXPORT = join(ROOT, 'packages/models/test/goldens/exports/marian');
const GGUF = join(ROOT, 'packages/importers/test/goldens/gguf/llama-byte-level.gguf');
const WHISPER = join(ROOT, 'packages/importers/test/goldens/whisper/transformers');
const RECURRENT = join(ROOT, 'packages/importers/test/goldens/recurrent/lstm-dot');
/** Inside the repository, so that the snippets resolve the workspace's packages; another run has a folder of its own. */
const CACHE = join(ROOT, `node_modules/.cache/snippets-${process.pid}`);

interface Snippet {
  readonly name: string;
  readonly code: string;
  readonly runs: boolean;
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(node_modules|api|\.vitepress)$/.test(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function snippetsOf(file: string): Snippet[] {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```ts( no-run)?\n(.*?)^```$/gms)];
  return blocks.map(([, noRun, code], index) => ({
    name: `${relative(ROOT, file).replaceAll(/[^\w.-]/g, '-')}-${index + 1}`,
    code: (code as string)
      .replaceAll("'path/to/optimum-folder'", JSON.stringify(EXPORT))
      .replaceAll("'path/to/model.gguf'", JSON.stringify(GGUF))
      .replaceAll("'path/to/chat-model'", JSON.stringify(join(CACHE, 'chat-model')))
      .replaceAll("'path/to/recurrent-weights'", JSON.stringify(RECURRENT))
      .replaceAll("'path/to/recurrent-model'", JSON.stringify(join(CACHE, 'recurrent-model')))
      .replaceAll("'path/to/whisper-weights'", JSON.stringify(WHISPER))
      .replaceAll("'path/to/whisper-model'", JSON.stringify(join(CACHE, 'whisper-model')))
      .replaceAll("'path/to/recording.wav'", JSON.stringify(join(CACHE, 'recording.wav')))
      .replaceAll("'path/to/ctc.onnx'", JSON.stringify(join(CACHE, 'model.onnx')))
      .replaceAll("'path/to/ctc-model'", JSON.stringify(join(CACHE, 'ctc-model'))),
    runs: noRun === undefined,
  }));
}

const packages = readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name, 'README.md'));
const files = [join(ROOT, 'README.md'), ...packages, ...markdownFiles(join(ROOT, 'docs'))];
const snippets = files.flatMap(snippetsOf);

mkdirSync(CACHE, { recursive: true });
await writeCtcGraph(CACHE, { classes: 6, blankId: 0 });
writeFileSync(
  join(CACHE, 'recording.wav'),
  wavOf(Float32Array.from({ length: 6400 }, (_, at) => Math.sin(at / 9) / 2)),
);
afterAll(() => rmSync(CACHE, { recursive: true, force: true }));
for (const { name, code } of snippets) writeFileSync(join(CACHE, `${name}.ts`), `${code}\nexport {};\n`);

describe('the documentation’s TypeScript', () => {
  it('is there to be tested', () => {
    expect(snippets.length).toBeGreaterThan(12);
  });

  it('names a model that can be had, where the program runs with the shipped one', () => {
    const invented = snippets.filter(({ runs, code }) => runs && code.includes("'path/to/model'"));
    expect(invented.map(({ name }) => name)).toEqual([]);
  });

  it('type-checks', () => {
    const config = {
      extends: join(ROOT, 'tsconfig.base.json'),
      compilerOptions: {
        isolatedDeclarations: false,
        declaration: false,
        noUnusedLocals: false,
        // Ours is off; a reader's may be on.
        noUncheckedIndexedAccess: true,
      },
      include: [join(CACHE, '*.ts')],
      exclude: [],
    };
    writeFileSync(join(CACHE, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(dirname(fileURLToPath(import.meta.resolve('typescript'))), '../bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', join(CACHE, 'tsconfig.json')], { encoding: 'utf8' });
    // Sources of ours that snippets import are checked elsewhere, without that option.
    const own = stdout.split('\n').filter((line) => line !== '' && !/^(packages\/| )/.test(line));
    expect(own).toEqual([]);
  });
});

it.each([
  ['write-a-decoder', 45],
  ['write-a-drafter', 35],
])('prints %s in less than %i lines of at most 120 characters', (guide, max) => {
  const printed = snippets.find(({ name }) => name.includes(guide));
  const lines = (printed?.code ?? '').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.length).toBeLessThan(max);
  expect(lines.filter(({ length }) => length > 120)).toEqual([]);
});

it('asks nobody to write a ! or a double cast', () => {
  const examples = readdirSync(join(ROOT, 'docs/examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name: `docs/examples/${name}`, code: readFileSync(join(ROOT, 'docs/examples', name), 'utf8') }));
  const found = [...snippets, ...examples].flatMap(({ name, code }) => {
    const file = ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true);
    const places: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isNonNullExpression(node) || (ts.isAsExpression(node) && ts.isAsExpression(node.expression))) {
        places.push(`${name}: ${node.getText()}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return places;
  });
  expect(found).toEqual([]);
});

it('holds no two versions of a passage, as a merge leaves them', () => {
  const pages = [...files, join(ROOT, 'ARCHITECTURE.md'), join(ROOT, 'CONTRIBUTING.md')];
  expect(pages.filter((file) => /^[<>]{7} /m.test(readFileSync(file, 'utf8')))).toEqual([]);
});

// Top level, because a snippet may define tests of its own.
for (const { name, runs } of snippets) {
  if (!runs) continue;
  const url = pathToFileURL(join(CACHE, `${name}.ts`)).href;
  if (/describe, it/.test(readFileSync(join(CACHE, `${name}.ts`), 'utf8'))) await import(/* @vite-ignore */ url);
  else it(`${name} runs`, async () => void (await import(/* @vite-ignore */ url)));
}
