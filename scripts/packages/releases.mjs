import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import semver from 'semver';

/** What is wrong with a package's CHANGELOG: its newest entry must be of the version that it has. */
export function changelogFaults(root, { folder, manifest }) {
  const file = join(root, folder, 'CHANGELOG.md');
  if (!existsSync(file)) return ['it has no CHANGELOG.md'];
  const newest = /^## (\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
  return newest === manifest.version
    ? []
    : [`its CHANGELOG begins with ${newest}, but its version is ${manifest.version}`];
}

/**
 * What goes wrong when a change of `@foretoken/core` is released: `changeset version` is run in a copy, with that change alone.
 *
 * It must give that package its next version and CHANGELOG, let every package that needs it follow, and make nobody 1.0.0.
 */
export function releaseFaults(root, published) {
  const copy = mkdtempSync(join(tmpdir(), 'foretoken-release-'));
  try {
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split(
      '\n',
    );
    const wanted = /(^|\/)package\.json$|^pnpm-workspace\.yaml$|^\.changeset\/config\.json$|(^|\/)CHANGELOG\.md$/;
    for (const name of files.filter((file) => wanted.test(file) && existsSync(join(root, file)))) {
      mkdirSync(dirname(join(copy, name)), { recursive: true });
      cpSync(join(root, name), join(copy, name));
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    writeFileSync(join(copy, '.changeset/trial.md'), '---\n"@foretoken/core": minor\n---\n\nA trial of a release.\n');
    execFileSync('git', ['init', '--quiet'], { cwd: copy });
    const command = join(root, 'node_modules/@changesets/cli/bin.js');
    execFileSync(process.execPath, [command, 'version'], { cwd: copy, stdio: 'pipe' });
    return published.flatMap(({ folder, manifest }) => faultsOf(copy, folder, manifest));
  } catch (error) {
    return [`changeset version failed: ${error.stderr || error.message}`];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function faultsOf(copy, folder, { name, version, dependencies }) {
  const { version: next } = JSON.parse(readFileSync(join(copy, folder, 'package.json'), 'utf8'));
  const changelog = readFileSync(join(copy, folder, 'CHANGELOG.md'), 'utf8');
  if (semver.major(next) !== semver.major(version)) return [`${name} would become ${next}`];
  if (name === '@foretoken/core') {
    const right = next === semver.inc(version, 'minor') && changelog.includes('A trial of a release.');
    return right ? [] : [`${name} would become ${next}, and its CHANGELOG would not say why`];
  }
  const follows = dependencies?.['@foretoken/core'] !== undefined;
  return follows && !semver.gt(next, version) ? [`${name} needs @foretoken/core and would stay ${next}`] : [];
}
