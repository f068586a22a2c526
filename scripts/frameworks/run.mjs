// Builds and runs what docs/guide/integrations.md shows of Next.js, Electron and bundlers for Node, with packed packages.
//
//   npm run frameworks
//
// It needs built packages and a registry: Next.js and the bundlers are no dependencies of the workspace. Without a registry it says so and
// ends well. Electron itself is not started, since its program comes from another server: the main process runs on Node beside a stand-in.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { packAll, publicPackages } from '../packages/pack.mjs';
import { bundlers } from './bundlers.mjs';
import { electron } from './electron.mjs';
import { next } from './next.mjs';
import { guidePage } from './page.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const OURS = ['core', 'greedy', 'language-models', 'models', 'speculative', 'streams', 'model-multi30k-en-de'];
const OTHERS = [
  ...['next', 'react', 'react-dom', '@electron/asar', 'onnxruntime-node', 'vite'],
  ...['esbuild', 'rollup', '@rollup/plugin-commonjs', '@rollup/plugin-node-resolve', 'webpack', 'webpack-cli'],
];

const work = mkdtempSync(join(tmpdir(), 'foretoken-frameworks-'));
try {
  const named = OURS.map((name) => `@foretoken/${name}`);
  const published = publicPackages(ROOT).filter(({ manifest }) => named.includes(manifest.name));
  const tarballs = packAll(ROOT, published, work).map(({ tarball }) => tarball);
  const project = join(work, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }));
  if (install(project, [...tarballs, ...OTHERS])) {
    const page = guidePage(ROOT);
    for (const part of [bundlers, electron, next]) await part({ page, place: placeOf(project) });
    console.log('skipped: Electron itself and electron-builder, which download from another server than the registry');
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Whether everything came from the registry. */
function install(folder, packages) {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  try {
    execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    return true;
  } catch (error) {
    const said = String(error.stderr);
    if (!/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED/.test(said)) throw error;
    console.log(`skipped: Next.js, Electron and bundlers could not be installed. ${said.slice(0, 300)}`);
    return false;
  }
}

/** Writes the files of a part into a folder beside the packages, which are found from there. */
function placeOf(project) {
  return (name, files) => {
    const folder = join(project, name);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    return folder;
  };
}
