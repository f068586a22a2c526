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
 * Builds what is checked. What was built of the same sources is taken from the build's cache and put back where it was changed, so no
 * check is ever of an old or a touched `dist`, and it takes a second where nothing changed.
 */
export function buildAll(root, packages) {
  const filters = [...packages.map(({ manifest }) => manifest.name), '@foretoken/bench'].map(
    (name) => `--filter=${name}`,
  );
  pnpm(root, ['exec', 'turbo', 'run', 'build', ...filters, '--output-logs=errors-only']);
}

/** Packs packages as publishing would; each is given the path of its tarball. */
export function packAll(root, packages, destination) {
  const filters = packages.flatMap(({ manifest }) => ['--filter', manifest.name]);
  pnpm(root, [...filters, 'pack', '--pack-destination', destination]);
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
