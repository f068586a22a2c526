// What users get of every published package, checked on its tarball; the packages are used as newcomers would.
//
//   npm run packages
//
// It builds what is not built of the sources as they are, and needs no network: what others made is taken from the workspace.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { allTogether } from './all-together.mjs';
import { commandAlone } from './command-alone.mjs';
import { eachAlone } from './each-alone.mjs';
import { specifiersOf, withDependencies } from './fresh-project.mjs';
import { licenceFaults } from './licences.mjs';
import { metadataFaults } from './metadata.mjs';
import { packAll, publicPackages } from './pack.mjs';
import { plantedFaults } from './planted.mjs';
import { productionPackages } from './production.mjs';
import { followQuickStart } from './quick-start.mjs';
import { changelogFaults, releaseFaults } from './releases.mjs';
import { Report } from './report.mjs';
import { makeSbom, sbomFaults } from './sbom.mjs';
import { shapeFaults } from './shape.mjs';
import { sourceMapFaults } from './source-maps.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'foretoken-packages-'));
const report = new Report();
try {
  report.checked('the checks find planted faults', await plantedFaults(work));

  const published = publicPackages(ROOT);
  const packages = packAll(ROOT, published, work).map(({ folder, manifest, tarball }) => {
    const place = join(work, `unpacked-${manifest.name.replace('/', '-')}`);
    mkdirSync(place);
    execFileSync('tar', ['xzf', tarball, '-C', place]);
    const unpacked = join(place, 'package');
    return { folder, tarball, unpacked, manifest: JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) };
  });
  for (const item of packages) {
    const { manifest, unpacked } = item;
    report.checked(`${manifest.name}: metadata`, metadataFaults(ROOT, manifest, unpacked));
    report.checked(`${manifest.name}: publint, types, source maps`, [
      ...(await shapeFaults(item)),
      ...sourceMapFaults(unpacked),
    ]);
    report.checked(`${manifest.name}: CHANGELOG`, changelogFaults(ROOT, item));
  }

  const production = productionPackages(ROOT, published);
  report.checked(`licences of ${production.length} packages that users install`, licenceFaults(production));
  const sbom = makeSbom(ROOT, production);
  report.checked('bill of materials', await sbomFaults(sbom, production));
  report.checked('the next release', releaseFaults(ROOT, published));
  const knip = join(ROOT, 'node_modules/knip/bin/knip.js');
  report.step(
    'unused files, exports and dependencies',
    ROOT,
    process.execPath,
    knip,
    '--no-progress',
    '--no-config-hints',
  );
  report.step('sizes within their limits', ROOT, process.execPath, 'apps/bench/dist/main.js', 'sizes');

  eachAlone(report, ROOT, work, packages);
  await allTogether(report, ROOT, work, packages);
  const named = new Map(packages.map((item) => [item.manifest.name, item]));
  commandAlone(report, ROOT, work, named);
  const standsFor = (name) => specifiersOf(ROOT, withDependencies(named, name), name);
  report.checked('the quick start, step by step', followQuickStart(ROOT, join(work, 'quick-start'), standsFor));
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (report.faults.length > 0) {
  console.log(
    `\n${report.faults.length} faults:\n${report.faults.map((fault) => `  ${fault.slice(0, 300)}`).join('\n')}`,
  );
  process.exitCode = 1;
}
