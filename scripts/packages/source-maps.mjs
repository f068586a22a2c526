import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Built files of an unpacked package that have no map, or one that lacks its sources. */
export function sourceMapFaults(unpacked) {
  const dist = join(unpacked, 'dist');
  if (!existsSync(dist)) return [];
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'));
  return files.flatMap((name) => {
    const file = join(dist, name);
    const code = readFileSync(file, 'utf8');
    const named = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(code)?.[1];
    if (named === undefined) return isBundlers(name, code) ? [] : [`dist/${name} names no source map`];
    const map = JSON.parse(readFileSync(join(dirname(file), named), 'utf8'));
    const holds =
      map.sources.length > 0 && map.sources.every((_, index) => typeof map.sourcesContent?.[index] === 'string');
    return holds ? [] : [`${named} lacks sources`];
  });
}

/** Whether a file holds the bundler's own lines alone, such as what stands for `using`, or an entry that only passes names on: no line of ours. */
function isBundlers(name, code) {
  if (/^(?:(?:import|export) \{[^}]*\}(?: from "[^"]+")?;\s*)+$/.test(code)) return true;
  const regions = [...code.matchAll(/^\/\/#region (.+)$/gm)];
  return name === 'chunk.js' || (regions.length > 0 && regions.every(([, source]) => source.startsWith('\\0')));
}
