import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readmes = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}/README.md`);
/** Pages of the guide that have install lines of their own; the others are followed in the project of the quick start. */
const GUIDES = ['quick-start', 'integrations', 'write-a-decoder', 'write-a-drafter', 'write-a-model'];
/** What these pages tell to install elsewhere. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'docs/guide/integrations.md': ['@rollup/plugin-commonjs', '@rollup/plugin-node-resolve'],
  // Its last program runs in the project of the quick start.
  'docs/guide/write-a-drafter.md': [
    '@foretoken/models',
    '@foretoken/speculative',
    '@foretoken/model-multi30k-en-de',
    'onnxruntime-node',
  ],
};

const nameOf = (specifier: string): string => (/^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [''])[0];

/** Packages that the programs of a page import or load, and the runtime where a model is loaded. */
function neededBy(text: string): readonly string[] {
  const programs = [...text.matchAll(/^```(?:ts|js)(?: no-run)?\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  const names = programs.flatMap((code) => {
    const imported = [...code.matchAll(/^(?:import|export) [^;]*?from '([^'.][^']*)'/gms)].map(
      ([, name]) => name ?? '',
    );
    const loaded = [...code.matchAll(/loadModel\('(@foretoken\/[^']+)'/g)].map(([, name]) => name ?? '');
    const runtime = /\bloadModel\(/.test(code) ? ['onnxruntime-node'] : [];
    return [...imported, ...loaded, ...runtime];
  });
  return [...new Set(names.filter((name) => !name.startsWith('node:')).map(nameOf))].sort();
}

/** A page that tells to install once, or its sections where each is a project of its own. */
const startsOf = (text: string): readonly string[] =>
  text.startsWith('# Integrations') ? text.split(/^## /m) : [text];

const installedBy = (text: string): readonly string[] =>
  [...text.matchAll(/\bnpm i (?:-D )?([^#\n`]+)/g)].flatMap(([, words]) => (words ?? '').trim().split(/\s+/));

describe('install lines', () => {
  it('the check finds what is missing', () => {
    const page =
      "```sh\nnpm i a   # a note\n```\n```ts\nimport { b } from 'b/c';\nconst m = await loadModel('@foretoken/d');\n```\n";
    expect(neededBy(page)).toEqual(['@foretoken/d', 'b', 'onnxruntime-node']);
    expect(installedBy(page)).toEqual(['a']);
  });

  it.each([...readmes, ...GUIDES.map((name) => `docs/guide/${name}.md`)])(
    '%s: name all that its programs need',
    (file) => {
      for (const text of startsOf(readFileSync(join(ROOT, file), 'utf8'))) {
        const installed = new Set([...installedBy(text), ...(ELSEWHERE[file] ?? [])]);
        expect(
          neededBy(text).filter((name) => !installed.has(name)),
          text.slice(0, 40),
        ).toEqual([]);
      }
    },
  );
});
