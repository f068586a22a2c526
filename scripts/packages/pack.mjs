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

/** Packs packages as publishing would; each is given the path of its tarball. */
export function packAll(root, packages, destination) {
  const filters = packages.flatMap(({ manifest }) => ['--filter', manifest.name]);
  const words = ['run', '--loglevel=error', 'pnpm', '--', ...filters, 'pack', '--pack-destination', destination];
  // The package manager that set-up has fetched will do: no registry need be reached for it. Where it fails, the error holds what it said.
  const env = { ...process.env, npm_config_prefer_offline: 'true' };
  execFileSync('npm', words, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
  return packages.map((item) => {
    const { name, version } = item.manifest;
    return { ...item, tarball: join(destination, `${name.slice(1).replace('/', '-')}-${version}.tgz`) };
  });
}
