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
