import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KNOWN_FAMILIES } from '../src/families/known-families.js';
import { familyNames, familyOf, type ModelFamily, type ModelManifest, registerFamily } from '../src/index.js';
import { loadCode } from '../src/load-code.js';
import { refusal } from './folder-fixtures.js';

const ofFamily = (family: string) => ({ family }) as ModelManifest;

describe('families that are loaded when they are used', () => {
  it('are each found by the name that the list has', async () => {
    const names = Object.keys(KNOWN_FAMILIES);
    expect(names.length).toBeGreaterThan(1);
    expect(familyNames()).toEqual(expect.arrayContaining(names));
    for (const name of names) expect(await familyOf(ofFamily(name))).toMatchObject({ name });
  });

  it('keep their names, loaded or not', async () => {
    const name = 'masked-lm';
    const known = await familyOf(ofFamily(name));
    const other: ModelFamily = { ...known };
    for (const taken of Object.keys(KNOWN_FAMILIES)) {
      expect(await refusal(() => registerFamily({ ...other, name: taken }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    registerFamily(known);
    expect(await familyOf(ofFamily(name))).toBe(known);
  });

  it.each(['constructor', '__proto__', 'toString'])('are never what every object has: %s', async (name) => {
    expect(await refusal(() => familyOf(ofFamily(name)))).toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });
});

describe('code that cannot be loaded', () => {
  it('is a typed error that says what it is for, and is asked for again', async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module');
    const answers = [Promise.reject(cause), Promise.resolve({ there: true })];
    const load = async () => (await answers.shift()) as { there: boolean };
    const error = await refusal(() => loadCode('SentencePiece models', load));
    expect(error).toMatchObject({ code: 'RUNTIME_FAILURE', cause, details: { capability: 'SentencePiece models' } });
    expect(error.message).toMatch(/SentencePiece models.*Failed to fetch/);
    expect(await loadCode('SentencePiece models', load)).toEqual({ there: true });
  });
});

describe('a module that is loaded when it is needed', () => {
  const root = fileURLToPath(new URL('../src', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const imports = (pattern: RegExp): (readonly [of: string, by: string])[] =>
    files.flatMap((name) =>
      [...readFileSync(join(root, name), 'utf8').matchAll(pattern)].map(
        ([, path]) => [resolve(root, dirname(name), String(path)), name] as const,
      ),
    );

  // It would be part of what is always loaded, or of a chunk that reads Node's modules even in a browser.
  // What the entry only passes on to users is left out of a bundle that does not use it.
  const ENTRY = 'anywhere.ts';

  it('is imported in no other way, types and what users import apart', () => {
    const lazy = new Set(imports(/\bimport\('(\.[^']*)'\)/g).map(([of]) => of));
    expect(lazy.size).toBeGreaterThan(7);
    const always = imports(/^(?:import|export) (?!type\b)(?:\{[^}]*\}|\*[^'{]*) from '(\.[^']*)'/gm);
    expect(always.length).toBeGreaterThan(200);
    const typesOnly = (by: string, of: string): boolean => {
      const names = /\{([^}]*)\}/.exec(
        readFileSync(join(root, by), 'utf8')
          .split(/^(?=import|export)/m)
          .find((statement) => {
            const path = / from '(\.[^']*)'/.exec(statement)?.[1];
            return path !== undefined && resolve(root, dirname(by), path) === of;
          }) ?? '',
      )?.[1];
      return names?.split(',').every((name) => /^\s*(?:type\b|$)/.test(name)) ?? false;
    };
    expect(always.filter(([of, by]) => by !== ENTRY && lazy.has(of) && !typesOnly(by, of))).toEqual([]);
  });
});
