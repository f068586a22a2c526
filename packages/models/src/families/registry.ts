import { ForetokenError } from '@foretoken/core';
import { fieldsOf, hasMethods, text as readText, show, wrongValue } from '@foretoken/core/kit';
import type { ModelManifest } from '../folder/manifest.js';
import { loadCode } from '../load-code.js';
import type { ModelFamily } from './family.js';
import { KNOWN_FAMILIES } from './known-families.js';

/** Families of users, and those that come with the package once their code is loaded. */
const FAMILIES = new Map<string, ModelFamily>();

/**
 * Makes a family known, so that its folders can be read, written and loaded.
 *
 * Throws `INVALID_ARGUMENT` for a name that another family has.
 */
export function registerFamily<Manifest extends ModelManifest, Input, Output extends object, Source>(
  family: ModelFamily<Manifest, Input, Output, Source>,
): void {
  if (!hasMethods(family, 'claims', 'checkGraphs', 'open', 'describe')) {
    throw wrongValue('family', family, 'a family of models, with schema, claims, checkGraphs, open and describe');
  }
  const name = readText('family.name', family.name);
  // Its own manifests alone are given to a family: the name says which they are.
  const own = family as unknown as ModelFamily;
  if (FAMILIES.get(name) === own) return;
  if (familyNames().includes(name)) throw wrongValue('family.name', name, 'a name that no family has');
  FAMILIES.set(name, own);
}

/** Names of all known families. */
export function familyNames(): readonly string[] {
  return [...new Set([...Object.keys(KNOWN_FAMILIES), ...FAMILIES.keys()])];
}

/** The family of a name, its code loaded; `undefined` where it is not known. Throws `RUNTIME_FAILURE`. */
export async function findFamily(name: string): Promise<ModelFamily | undefined> {
  const known = FAMILIES.get(name);
  if (known !== undefined || !Object.hasOwn(KNOWN_FAMILIES, name)) return known;
  const family = await loadCode(`models of the family ${name}`, KNOWN_FAMILIES[name]);
  FAMILIES.set(name, family);
  return family;
}

/** The family of a manifest that was checked. Throws `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, `RUNTIME_FAILURE`. */
export async function familyOf(manifest: ModelManifest): Promise<ModelFamily> {
  const family: unknown = fieldsOf('familyOf', manifest, 'a manifest').get('family');
  const found = await findFamily(readText('manifest.family', family));
  if (found !== undefined) return found;
  throw new ForetokenError('UNSUPPORTED_MODEL', `The model family ${show(family)} is not known; register it first.`, {
    received: family,
    required: familyNames(),
  });
}
