import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expectPrinted } from './page.mjs';

/** What of Electron the page uses: the window asks as soon as there is one. */
const STAND_IN = `
const handlers = new Map();
export const app = { whenReady: async () => {} };
export const ipcMain = { handle: (name, handler) => handlers.set(name, handler) };
export class BrowserWindow {
  constructor({ webPreferences }) { this.preload = webPreferences.preload; }
  async loadFile() {
    const { existsSync } = await import('node:fs');
    if (!existsSync(this.preload)) throw new Error('no preload at ' + this.preload);
    console.log(await handlers.get('translate')({}, 'A man is riding a bicycle.'));
  }
}
`;
const FLAGS = ['--bundle', '--platform=node', '--format=esm', '--outfile=bundled.mjs'];
const EXTERNAL = ['electron', 'onnxruntime-node', '@foretoken/model-*'].map((name) => `--external:${name}`);

/** The main process runs, as it is and bundled; what the page leaves out of app.asar lies beside it. */
export async function electron({ page, place }) {
  const files = { 'main.mjs': page.file('main.mjs'), 'preload.cjs': page.file('preload.cjs') };
  const cwd = place('electron', { ...files, 'forge.config.cjs': page.file('forge.config.cjs') });
  const standIn = join(cwd, 'node_modules/electron');
  mkdirSync(standIn, { recursive: true });
  writeFileSync(join(standIn, 'package.json'), '{ "name": "electron", "type": "module", "exports": "./index.js" }');
  writeFileSync(join(standIn, 'index.js'), STAND_IN);
  const run = (...words) => execFileSync(words[0], words.slice(1), { cwd, encoding: 'utf8', stdio: 'pipe' });
  expectPrinted('Electron: main process', run(process.execPath, 'main.mjs'));
  run('npx', 'esbuild', 'main.mjs', ...FLAGS, ...EXTERNAL);
  expectPrinted('Electron: main process, bundled by esbuild', run(process.execPath, 'bundled.mjs'));
  await unpacked(cwd);
}

/** Packs the app as @electron/packager does with the configuration of the page. */
async function unpacked(cwd) {
  const { resolve } = createRequire(join(cwd, 'main.mjs'));
  const app = join(cwd, 'app');
  for (const name of ['onnxruntime-node', '@foretoken/model-multi30k-en-de']) {
    cpSync(join(cwd, '../node_modules', name), join(app, 'node_modules', name), { recursive: true });
  }
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0" }');
  const { createPackageWithOptions } = await import(pathToFileURL(resolve('@electron/asar')).href);
  const { default: forge } = await import(pathToFileURL(join(cwd, 'forge.config.cjs')).href);
  const asar = join(cwd, 'app.asar');
  await createPackageWithOptions(app, asar, { unpack: forge.packagerConfig.asar.unpack });
  const needed = [
    'onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node',
    '@foretoken/model-multi30k-en-de/model/weights.bin',
  ];
  const missing = needed.filter((name) => !existsSync(join(`${asar}.unpacked`, 'node_modules', name)));
  expectPrinted('Electron: what stays beside app.asar', missing.length === 0 ? 'all' : `${missing} is inside`, 'all');
}
