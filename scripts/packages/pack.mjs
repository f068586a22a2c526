import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every package that is published: its folder, relative to the root, and its package.json. */
export function publicPackages(root) {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).flatMap((name) => {
      const folder = join(group, name);
      const file = join(root, folder, 'package.json');
      if (!existsSync(file)) return [];
      const manifest = JSON.parse(readFileSync(file, 'utf8'));
      return manifest.private ? [] : [{ folder, manifest }];
    }),
  );
}

/**
 * Packs packages as publishing would; each is given the path of its tarball. They are built first: what was built of the same sources is
 * taken from the build's cache and put back where it was changed, so no check is ever of an old or a touched `dist`, and it takes a
 * second where nothing changed. `run` runs the package manager.
 */
export function packAll(root, packages, destination, run = pnpm) {
  const names = packages.map(({ manifest }) => manifest.name);
  const built = [...names, '@foretoken/bench'].map((name) => `--filter=${name}`);
  run(root, ['exec', 'turbo', 'run', 'build', ...built, '--output-logs=errors-only']);
  run(root, [...names.flatMap((name) => ['--filter', name]), 'pack', '--pack-destination', destination]);
  return packages.map((item) => {
    const { name, version } = item.manifest;
    return { ...item, tarball: join(destination, `${name.slice(1).replace('/', '-')}-${version}.tgz`) };
  });
}

function pnpm(root, words) {
  // The package manager that set-up has fetched will do: no registry need be reached for it. Where it fails, the error holds what it said.
  const env = { ...process.env, npm_config_prefer_offline: 'true' };
  const all = ['run', '--loglevel=error', 'pnpm', '--', ...words];
  execFileSync('npm', all, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
}
