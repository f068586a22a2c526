// Writes the bill of materials of what users may install.
//
//   npm run sbom                     to standard output
//   npm run sbom -- sbom.cdx.json    to a file
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { publicPackages } from './pack.mjs';
import { productionPackages } from './production.mjs';
import { makeSbom, sbomFaults } from './sbom.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const packages = productionPackages(ROOT, publicPackages(ROOT));
const text = makeSbom(ROOT, packages);
const faults = await sbomFaults(text, packages);
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
} else if (process.argv[2] === undefined) process.stdout.write(text);
else writeFileSync(process.argv[2], text);
