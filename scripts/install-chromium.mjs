// Makes sure that there is a Chromium for the tests in a browser: one that is there, else one of the system's package manager, else
// one that playwright downloads. Where none of these works, it says so and exits with 1; the tests in a browser are skipped then.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const MINUTES = 60_000;

function found() {
  const { CHROME_PATH, PATH = '' } = process.env;
  const inPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [CHROME_PATH, ...inPath, chromium.executablePath()].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(command, ...args) {
  console.log(`Installing Chromium: ${command} ${args.join(' ')}`);
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 10 * MINUTES,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return error === undefined && status === 0;
}

const isRoot = process.getuid?.() === 0;
const apt = (...args) => run('apt-get', '-q', ...args);
if (found() === undefined && isRoot && process.platform === 'linux') {
  const install = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  // Its lists may be old, or not be there at all.
  if (!install() && apt('update')) install();
}
if (found() === undefined) {
  run(process.execPath, join(import.meta.dirname, '../node_modules/playwright-core/cli.js'), 'install', 'chromium');
}
const path = found();
console.log(
  path === undefined
    ? 'WARNING: no Chromium could be installed, so the tests in a browser are SKIPPED. Install one, or set CHROME_PATH.'
    : `Tests in a browser use ${path}.`,
);
process.exitCode = path === undefined ? 1 : 0;
