import { join } from 'node:path';
import { mapByLine } from './scripts/line-maps.mjs';

/** How every package is built; its script names the entries, and whether there are declarations. */
export default {
  // Otherwise it would be the folder of this file.
  cwd: process.cwd(),
  format: 'esm',
  target: 'node20',
  // Else the bundler's own helpers import a module of Node, which browsers do not have. What our sources import stays as it is.
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
  fixedExtension: false,
  outDir: 'dist',
  // A build from the cache is laid over what is there, so files must have the same names in each: with declarations and without.
  hash: false,
  logLevel: 'warn',
  // With the sources in them, so that a debugger shows TypeScript where only the package is installed.
  sourcemap: true,
  onSuccess: () => mapByLine(join(process.cwd(), 'dist')),
  // Docstrings are in the declarations and in the sources of the maps: a third copy would only be downloaded.
  outputOptions: { comments: { legal: true, annotation: true, jsdoc: false } },
};
