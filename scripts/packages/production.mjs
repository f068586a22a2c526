import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Every package that users of the published ones may install: ours, what they depend on, and their peers.
 *
 * Each is `{ manifest, folder, needs }`; `needs` are those it depends on, of the same list. Read from what is installed, so
 * without a network.
 */
export function productionPackages(root, published) {
  const byFolder = new Map();
  const visit = (folder, manifest) => {
    const known = byFolder.get(folder);
    if (known !== undefined) return known;
    const entry = { manifest, folder, needs: [] };
    byFolder.set(folder, entry);
    const optional = { ...manifest.optionalDependencies, ...manifest.peerDependencies };
    for (const name of Object.keys({ ...manifest.dependencies, ...optional })) {
      const found = installedFolder(folder, name);
      if (found !== undefined) entry.needs.push(visit(found, manifestOf(found)));
      // What is only for other systems, or optional, may be missing.
      else if (!(name in optional)) throw new Error(`${manifest.name} needs ${name}, which is not installed.`);
    }
    return entry;
  };
  for (const { folder } of published) {
    const absolute = realpathSync(join(root, folder));
    visit(absolute, manifestOf(absolute));
  }
  return [...byFolder.values()].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

export const keyOf = ({ manifest }) => `${manifest.name}@${manifest.version}`;

/** Where Node would find a package that another one imports. */
export function installedFolder(from, name) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
