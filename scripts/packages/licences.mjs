import parse from 'spdx-expression-parse';
import satisfies from 'spdx-satisfies';
import { keyOf } from './production.mjs';

/** What may be a dependency of a product without a question: licences that ask for their notice and no more. */
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
];

/** Lists of words under a licence of data, which asks to be named too: they carry their own licence file. */
const DATA = new Map([['naughty-words', 'CC-BY-4.0']]);

/** The only package that may have terms of its own: nothing that is installed depends on it. */
const OWN_TERMS = new Set(['@foretoken/model-multi30k-en-de']);

/** Packages whose licence is missing, cannot be read, or is not permissive; and who depends on one with terms of its own. */
export function licenceFaults(packages) {
  const faults = [];
  for (const entry of packages) {
    const { name, license } = entry.manifest;
    if (!OWN_TERMS.has(name) && DATA.get(name) !== license && !isPermissive(license))
      faults.push(`${keyOf(entry)} is licensed as ${JSON.stringify(license)}`);
    for (const needed of Object.keys(entry.manifest.dependencies ?? {})) {
      if (OWN_TERMS.has(needed)) faults.push(`${name} depends on ${needed}, which has terms of its own`);
    }
  }
  return faults;
}

export function isPermissive(license) {
  try {
    parse(license);
    return satisfies(license, PERMISSIVE);
  } catch {
    return false;
  }
}
