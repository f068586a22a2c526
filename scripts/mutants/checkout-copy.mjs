import { execFileSync } from 'node:child_process';
import {
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'foretoken-mutants-';

/** The files of a checkout that Git knows or would add, as paths inside it. */
export function filesOf(checkout) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: checkout,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(checkout, file)));
}

/**
 * Copies a checkout into a new temporary folder and returns its path.
 * Packages link to one another inside the copy; what was installed from a registry is shared.
 */
export function copyCheckout(checkout, files) {
  removeAbandoned();
  const copy = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(join(checkout, file), join(copy, file), constants.COPYFILE_FICLONE);
  }
  const packages = files
    .filter((file) => basename(file) === 'package.json')
    .map((file) => join(dirname(file), 'node_modules'));
  for (const modules of packages.filter((folder) => existsSync(join(checkout, folder)))) {
    mkdirSync(join(copy, modules), { recursive: true });
    for (const name of readdirSync(join(checkout, modules)).filter((entry) => !entry.startsWith('.'))) {
      cpSync(join(checkout, modules, name), join(copy, modules, name), { recursive: true, verbatimSymlinks: true });
    }
  }
  symlinkSync(join(checkout, 'node_modules/.pnpm'), join(copy, 'node_modules/.pnpm'));
  return copy;
}

/** Removes the copies of runs that were killed before they could do so themselves. */
function removeAbandoned() {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const owner = Number(name.slice(PREFIX.length).split('-')[0]);
    if (!isRunning(owner)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
