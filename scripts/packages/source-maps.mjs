import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Built files of an unpacked package that have no map, or one that lacks its sources. */
export function sourceMapFaults(unpacked) {
  const dist = join(unpacked, 'dist');
  if (!existsSync(dist)) return [];
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'));
  return files.flatMap((name) => {
    const file = join(dist, name);
    const named = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(file, 'utf8'))?.[1];
    // The bundler's own few lines have no source of ours.
    if (named === undefined) return name === 'chunk.js' ? [] : [`dist/${name} names no source map`];
    const map = JSON.parse(readFileSync(join(dirname(file), named), 'utf8'));
    const holds =
      map.sources.length > 0 && map.sources.every((_, index) => typeof map.sourcesContent?.[index] === 'string');
    return holds ? [] : [`${named} lacks sources`];
  });
}
