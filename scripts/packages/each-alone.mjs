import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, freshProject, withDependencies } from './fresh-project.mjs';

/** What `npm i` of a decoder or adapter may add besides the runtime and what others made. */
const MAX_BYTES = 1_000_000;

/** A task made of two decoders brings both, and its rules of what is left alone; the suites are for tests only, and hold laws for every kind of plugin. */
const LIMITS = new Map([
  ['@foretoken/correction', 1_200_000],
  ['@foretoken/testkit', 1_100_000],
]);

/** Those that hold more than one plugin does: loader, importers and the command, which people install for themselves. */
const LARGER = new Set(['@foretoken/models', '@foretoken/importers', '@foretoken/cli']);

/**
 * Installs each package with nothing but what it needs, and loads every entry of it as ECMAScript module and as CommonJS.
 *
 * Peers that are not optional are installed, as npm does.
 */
export function eachAlone(report, root, work, packages) {
  const named = new Map(packages.map((item) => [item.manifest.name, item]));
  for (const { manifest, folder: source } of packages) {
    const entries = Object.keys(manifest.exports ?? {}).filter((entry) => !/\*|\.json$/.test(entry));
    if (entries.length === 0) continue;
    const name = `alone-${manifest.name.slice('@foretoken/'.length)}`;
    const folder = freshProject(
      report,
      root,
      work,
      name,
      [...withDependencies(named, manifest.name).values()],
      peersOf(manifest, source),
    );
    for (const entry of entries) {
      const specifier = `${manifest.name}${entry.slice(1)}`;
      const check = "if (Object.keys(all).length === 0) throw new Error('It exports nothing.');";
      writeFileSync(join(folder, 'main.mjs'), `import * as all from '${specifier}';\n${check}\n`);
      writeFileSync(join(folder, 'main.cjs'), `const all = require('${specifier}');\n${check}\n`);
      report.step(`${name}: import ${specifier}`, folder, process.execPath, 'main.mjs');
      report.step(`${name}: require ${specifier}`, folder, process.execPath, 'main.cjs');
    }
    const bytes = bytesOf(join(folder, 'node_modules/@foretoken'));
    const limited = !LARGER.has(manifest.name) && manifest.foretoken?.model === undefined;
    const max = LIMITS.get(manifest.name) ?? MAX_BYTES;
    report.note(`${name} adds ${(bytes / 1000).toFixed(0)} kB${limited ? ` of at most ${max / 1000}` : ''}`);
    if (limited && bytes > max) report.checked(`${name}: size`, [`${bytes} bytes, but at most ${max}`]);
  }
}

function peersOf({ peerDependencies = {}, peerDependenciesMeta = {} }, source) {
  const needed = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional);
  return Object.fromEntries(needed.filter((peer) => !peer.startsWith('@foretoken/')).map((peer) => [peer, source]));
}
