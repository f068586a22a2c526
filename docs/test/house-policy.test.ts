import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { foldersOf, importsOf, PROGRAMS_AND_PAGES, SCRIPTS, SOURCES, TESTS, textOf } from './source-files.js';

/** Where a family, an architecture or the reading of an export has a folder of its own. */
const HOMES = [
  'packages/models/src/families',
  'packages/importers/src/architectures',
  'packages/importers/src/adapters',
] as const;
const FAMILIES = foldersOf(HOMES[0]);
/** Terms of the field beside names: kinds of models and of strategies, which all layers may speak of. */
const FIELD_TERMS = ['causal', 'ctc', 'encoder-decoder', 'recurrent'];
/** Folders that hold what several architectures share, and no architecture. */
const SHARED = ['causal', 'encoder-decoder'].map((name) => `${HOMES[1]}/${name}`);
const NAMES = [...new Set(HOMES.flatMap(foldersOf))].filter((name) => !FIELD_TERMS.includes(name));

/** Where things are registered by name: what comes with the package, what it exports, what a file format calls models. */
const TABLES = [
  /^packages\/models\/src\/families\/known-[a-z-]+\.ts$/,
  /^packages\/importers\/src\/architectures\/known-architectures\.ts$/,
  /^packages\/importers\/src\/adapters\/known-adapters\.ts$/,
  /^packages\/importers\/src\/index\.ts$/,
  /^packages\/importers\/src\/readers\/gguf\/gguf-names\.ts$/,
  /^packages\/importers\/src\/readers\/ctranslate2\/specs\/[a-z-]+\.ts$/,
  // Formats, one of which is called after the program that writes it, as an architecture is.
  /^packages\/importers\/src\/readers\/open-weights\.ts$/,
  /^packages\/importers\/src\/readers\/marian-bin\/[a-z-]+\.ts$/,
];
/** Programs whose names hold a family's. */
const PROGRAMS = /llama\.?cpp|llama-gguf-split/gi;

const isTable = (file: string): boolean => TABLES.some((table) => table.test(file));

/** Whether a text names it, in identifiers too: `masked-lm`, `MASKED_LM`, `readMaskedLm`. */
function mentions(text: string, name: string): boolean {
  const words = name.match(/[a-z]+|\d+/g) as string[];
  const capitals = words.map((word) => `${word[0].toUpperCase()}${word.slice(1)}`).join('');
  return new RegExp(`(?<![a-z])${words.join('[-_]?')}`, 'i').test(text) || new RegExp(`[a-z]${capitals}`).test(text);
}

/** Whether a file may speak of a name: in a folder of that name, and a family where folders of it are written. */
function mayName(file: string, name: string): boolean {
  if (HOMES.some((home) => file.startsWith(`${home}/${name}/`))) return true;
  return FAMILIES.includes(name) && HOMES.slice(1).some((home) => file.startsWith(`${home}/`));
}

describe('names of families and architectures', () => {
  it('are found where they are', () => {
    expect(NAMES).toContain('marian');
    expect(NAMES).toContain('onnx-export');
    const examples = ["'onnx-export'", 'OnnxExportManifest', 'isOnnxExport', 'ONNX_EXPORT'];
    expect(examples.every((text) => mentions(text, 'onnx-export'))).toBe(true);
    expect(['GPT-2', 'gpt2', 'readGpt2'].every((text) => mentions(text, 'gpt2'))).toBe(true);
    expect(mentions('const exported = onnx', 'onnx-export')).toBe(false);
  });

  it('stand in their own folders and in the tables that register them, nowhere else', () => {
    const found = SOURCES.filter((file) => !isTable(file)).flatMap((file) => {
      const text = textOf(file).replaceAll(PROGRAMS, '');
      const named = NAMES.filter((name) => !mayName(file, name) && mentions(text, name));
      return named.map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });

  it('are no architecture to another: each is built of blocks and of what is shared', () => {
    const found = SOURCES.filter((file) => !isTable(file)).flatMap((file) => {
      const home = homeOf(file);
      const others = importsOf(file, true).filter((imported) => {
        const other = homeOf(imported);
        return other !== undefined && other !== home && !SHARED.includes(other);
      });
      return others.map((other) => `${file} imports ${other}`);
    });
    expect(found).toEqual([]);
  });
});

/** The folder of the family or architecture that a file belongs to. */
function homeOf(file: string): string | undefined {
  const home = HOMES.find((folder) => file.startsWith(`${folder}/`));
  const [name, rest] = home === undefined ? [] : file.slice(home.length + 1).split('/');
  return rest === undefined ? undefined : `${home}/${name}`;
}

describe('names of limits', () => {
  it('say min and max, not least and most', () => {
    const found = SOURCES.flatMap((file) => {
      const names: string[] = [];
      const visit = (node: ts.Node): void => {
        const { name } = node as { readonly name?: ts.Node };
        if (name !== undefined && ts.isIdentifier(name)) names.push(name.text);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest));
      const limits = names.filter((name) => /^(most|least)$|^(most|least)(?!Probable)[A-Z]|(Most|Least)$/.test(name));
      return limits.map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });
});

describe('what a model says of itself', () => {
  it('is not given to a decoder by hand: what begins the paths of a DAG', () => {
    const call = /\bdag(?:Greedy|Lookahead|Viterbi|JointViterbi|Beam|Sampling)\([^()]*\bstartTokenId\b/;
    expect(call.test('dagBeam({ beamSize: 2, startTokenId })')).toBe(true);
    const programs = [...SOURCES, ...PROGRAMS_AND_PAGES].filter((file) => !file.startsWith('packages/testkit/'));
    expect(programs.filter((file) => call.test(textOf(file)))).toEqual([]);
  });
});

describe('files', () => {
  it('have no more than 300 lines', () => {
    const files = [...SOURCES, ...TESTS, ...SCRIPTS];
    const lines = files.map((file) => ({ file, count: textOf(file).trimEnd().split('\n').length }));
    expect(lines.filter(({ count }) => count > 300)).toEqual([]);
  });
});

describe('tests', () => {
  it('give themselves no time limit below the common one, and take no seed from a clock', () => {
    const found = TESTS.flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, index) => {
          const limited = /\{ timeout: [\d_]+ \}, (async )?\(|^\s*\}, [\d_]{4,}\);|^\s*[\d_]{5,},$/.test(line);
          return limited || /seed\b.*(Date|performance)\.now/.test(line) ? [`${file}:${index + 1}`] : [];
        }),
    );
    expect(found).toEqual([]);
  });
});

describe('imports', () => {
  it('make no circle, not by types or by what is loaded later either', () => {
    const imported = new Map(SOURCES.map((file) => [file, importsOf(file, true)]));
    expect(imported.get('packages/models/src/load-model.ts')).toContain('packages/models/src/folder/model-folder.ts');
    expect(circlesOf(imported)).toEqual([]);
  });
});

/** A circle for each import that leads back to a file that is being followed. */
function circlesOf(imported: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const circles: string[] = [];
  const followed = new Set<string>();
  const follow = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (followed.has(file)) return;
    followed.add(file);
    for (const next of imported.get(file) ?? []) follow(next, [...path, file]);
  };
  for (const file of imported.keys()) follow(file, []);
  return circles;
}
