import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPermissive, licenceFaults } from './licences.mjs';
import { sbomFaults } from './sbom.mjs';
import { shapeFaults } from './shape.mjs';
import { sourceMapFaults } from './source-maps.mjs';

/** Checks that find nothing may look at nothing: each is given a fault, and what lets one pass is told. */
export async function plantedFaults(work) {
  const place = join(work, 'planted');
  const unpacked = join(place, 'package');
  mkdirSync(join(unpacked, 'dist'), { recursive: true });
  const manifest = {
    name: 'planted',
    version: '1.0.0',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './missing': './dist/missing.js' },
  };
  writeFileSync(join(unpacked, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(unpacked, 'dist/index.js'), 'export const a = 1;\n');
  writeFileSync(join(unpacked, 'dist/index.d.ts'), 'declare const a: number;\nexport = a;\n');
  const tarball = join(work, 'planted.tgz');
  execFileSync('tar', ['czf', tarball, '-C', place, 'package']);
  const shape = (await shapeFaults({ manifest, tarball, unpacked })).join('\n');
  const copyleft = { manifest: { name: 'copyleft', version: '1.0.0', license: 'GPL-3.0-only' }, needs: [] };
  const heir = { manifest: { name: 'heir', license: 'MIT', dependencies: { '@foretoken/model-multi30k-en-de': '1' } } };
  const found = {
    'an export without a file (publint)': /publint: .*missing/.test(shape),
    'types of another module format (attw)': /types: .*FalseExportDefault|types: /.test(shape),
    'a file without a source map': sourceMapFaults(unpacked).length === 1,
    'a copyleft licence': licenceFaults([copyleft]).length === 1,
    'a model with terms of its own as a dependency': licenceFaults([heir]).length === 1,
    'a licence that is none':
      !isPermissive(undefined) && !isPermissive('MIT AND GPL-3.0-only') && isPermissive('MIT OR GPL-3.0-only'),
    'a bill of materials that lacks a package': (await sbomFaults('{"components":[]}', [copyleft])).some((fault) =>
      /is missing/.test(fault),
    ),
  };
  return Object.entries(found).flatMap(([what, is]) => (is ? [] : [`${what} was not found`]));
}
