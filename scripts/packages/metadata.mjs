import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is missing or wrong in a packed package's metadata; an empty list for nothing. */
export function metadataFaults(root, manifest, unpacked) {
  const faults = [];
  const require = (holds, fault) => {
    if (!holds) faults.push(fault);
  };
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const field of ['description', 'homepage', 'bugs', 'author', 'license', 'repository']) {
    require(Boolean(manifest[field]), `${field} is missing`);
  }
  require((manifest.keywords ?? []).length >= 3, 'it has fewer than three keywords');
  require(manifest.engines?.node ===
    own.engines.node, `engines.node is ${manifest.engines?.node}, but the repository says ${own.engines.node}`);
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      require(!/^(workspace|catalog|file|link):/.test(
        range,
      ), `${kind}.${name} is ${range}, which no registry understands`);
      // An exact version of a package of ours would bring a second copy of it.
      // A peer is one copy anyway, and may be wider, so that it need not be released with each of the other's versions.
      const ranges = kind === 'peerDependencies' ? /^(\^|>=)/ : /^\^/;
      if (name.startsWith('@foretoken/')) require(ranges.test(range), `${kind}.${name} is ${range}, not a range`);
    }
  }
  require(!Object.keys(manifest.exports ?? {}).length ||
    !JSON.stringify(manifest.exports).includes('/src/'), 'exports name sources');
  for (const file of filesOf(manifest.exports))
    require(file.includes('*') || existsSync(join(unpacked, file)), `exports name ${file}, which is not packed`);
  const licence = ['LICENSE', 'LICENSE.md'].map((name) => join(unpacked, name)).find((path) => existsSync(path));
  require(licence !== undefined, 'no LICENSE is packed');
  const text = licence === undefined ? '' : readFileSync(licence, 'utf8');
  require((manifest.license === 'Apache-2.0') ===
    /Apache License\s+Version 2\.0, January 2004/.test(text), `license is ${manifest.license}, but LICENSE is another`);
  require(existsSync(join(unpacked, 'README.md')), 'no README.md is packed');
  return faults;
}

function filesOf(exports) {
  if (typeof exports === 'string') return [exports];
  return Object.values(exports ?? {}).flatMap(filesOf);
}
