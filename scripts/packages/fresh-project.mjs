import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedFolder } from './production.mjs';

/**
 * Installs packed packages, and all of ours that they need, into a new project as npm does; `report` is told.
 *
 * What others made comes from the workspace, linked: it was installed by the lock file, and no registry is asked.
 * `extra` are such packages by name, each with the folder that it is seen from.
 */
export function freshProject(report, root, parent, name, items, extra = {}) {
  const folder = join(parent, name);
  mkdirSync(folder);
  const links = Object.entries(extra).map(([needed, from]) => [needed, linkTo(join(root, from), needed)]);
  const dependencies = Object.fromEntries([...links, ...items.flatMap((item) => dependenciesOf(root, item))]);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', private: true, type: 'module', dependencies }, undefined, 2),
  );
  const flags = ['--no-audit', '--no-fund', '--offline', '--ignore-scripts', '--loglevel=error'];
  report.step(`${name}: npm install`, folder, 'npm', 'install', ...flags);
  return folder;
}

/** What stands for a package in the words of `npm i`, without a registry: `items` are ours that it needs, itself among them. */
export function specifiersOf(root, items, name) {
  if (items.size === 0) return [linkTo(root, name)];
  return [...items.values()].flatMap((item) => dependenciesOf(root, item).map(([, specifier]) => specifier));
}

/** A packed package as dependency, and those of its dependencies that others made. */
function dependenciesOf(root, { manifest, tarball, folder }) {
  const others = Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@foretoken/'));
  return [[manifest.name, `file:${tarball}`], ...others.map((name) => [name, linkTo(join(root, folder), name)])];
}

function linkTo(from, name) {
  const folder = installedFolder(from, name);
  if (folder === undefined) throw new Error(`${name} is not installed where ${from} would find it. Run npm run setup.`);
  return `file:${folder}`;
}

/** A package with all packages of ours that it needs. */
export function withDependencies(named, name, found = new Map()) {
  const item = named.get(name);
  if (item === undefined || found.has(name)) return found;
  found.set(name, item);
  for (const needed of Object.keys(item.manifest.dependencies ?? {})) withDependencies(named, needed, found);
  return found;
}

/** Bytes of all files under a folder. */
export function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}
