import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';

/** A docstring that has its lines to itself. */
const DOCSTRING = /^[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*$/gm;

const emptyLines = (text) => '\n'.repeat(text.split('\n').length - 1);

/**
 * Leaves one mapping a line in the source maps of a folder: built lines are lines of the source, and columns are a third of a map.
 * Docstrings are in the declarations, so empty lines stand for them.
 */
export function mapByLine(folder) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.map'))) {
    const file = join(folder, name);
    const map = JSON.parse(readFileSync(file, 'utf8'));
    map.mappings = encode(decode(map.mappings).map(([first]) => (first === undefined ? [] : [first.slice(0, 4)])));
    map.names = [];
    map.sourcesContent = map.sourcesContent.map((source) => source?.replaceAll(DOCSTRING, emptyLines) ?? null);
    writeFileSync(file, JSON.stringify(map));
  }
}
