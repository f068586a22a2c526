// Builds and runs what docs/guide/integrations.md shows of Next.js, Electron and bundlers for Node, with packed packages.
//
//   npm run frameworks
//
// It needs built packages and a registry: Next.js and the bundlers are no dependencies of the workspace. A part whose packages cannot be had
// is skipped, with the reason, and the others go on; that is no fault. A part that fails ends the command with exit code 1, after the others.
// Electron itself is not started, since its program comes from another server: the main process runs on Node beside a stand-in.
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
const ROLLUP = ['rollup', '@rollup/plugin-commonjs', '@rollup/plugin-node-resolve'];
/** Each part, and the packages of others that it alone needs. All of them need onnxruntime-node. */
const PARTS = [
  { name: 'bundlers', run: bundlers, needs: ['esbuild', 'vite', 'webpack', 'webpack-cli', ...ROLLUP] },
  { name: 'Electron', run: electron, needs: ['@electron/asar', 'esbuild'] },
  // The last: its server runs without the packages in the end.
  { name: 'Next.js', run: next, needs: ['next', 'react', 'react-dom'] },
];
/** What npm says of a registry that cannot be reached, or that lacks a package. */
const UNREACHABLE =
  /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED|E40[134]|E5\d\d|FETCH_ERROR)\b/;

const work = mkdtempSync(join(tmpdir(), 'foretoken-frameworks-'));
try {
  const named = OURS.map((name) => `@foretoken/${name}`);
  const published = publicPackages(ROOT).filter(({ manifest }) => named.includes(manifest.name));
  const project = join(work, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }));
  const ours = reachable(() => {
    const tarballs = packAll(ROOT, published, work).map(({ tarball }) => tarball);
    install(project, [...tarballs, 'onnxruntime-node']);
  });
  const counts = { ok: 0, skipped: 0, failed: 0 };
  for (const { name, run, needs } of PARTS) {
    const missing = ours ?? reachable(() => install(project, needs));
    if (missing !== undefined) {
      console.log(`skipped: ${name}, whose packages could not be installed. ${missing}`);
      counts.skipped++;
      continue;
    }
    try {
      await run({ page: guidePage(ROOT), place: placeOf(project) });
      counts.ok++;
    } catch (error) {
      console.log(
        `FAULT ${name}: ${[error.message, error.stdout, error.stderr].filter(Boolean).join('\n').slice(0, 2000)}`,
      );
      counts.failed++;
    }
  }
  console.log('skipped: Electron itself and electron-builder, which download from another server than the registry');
  console.log(`${counts.ok} parts are well, ${counts.skipped} were skipped, ${counts.failed} failed.`);
  if (counts.failed > 0) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Why packages could not be had from the registry; undefined where they were. */
function reachable(fetchPackages) {
  try {
    fetchPackages();
    return undefined;
  } catch (error) {
    const said = String(error.stderr ?? '');
    if (!UNREACHABLE.test(said)) throw error;
    return (/request to \S+ failed, reason: [^\n]*/.exec(said)?.[0] ?? said.replace(/\s+/g, ' ')).slice(0, 300);
  }
}

function install(folder, packages) {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
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
