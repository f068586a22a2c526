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

/** Packs a package as publishing would; returns the path of the tarball. */
export function pack(root, folder, destination) {
  const pnpm = process.env.npm_execpath?.includes('pnpm')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm', 'run', '--silent', '--prefix', root, 'pnpm', '--'];
  const [command, ...before] = pnpm;
  const target = join(root, folder);
  const known = new Set(readdirSync(destination));
  execFileSync(command, [...before, '-C', target, 'pack', '--pack-destination', destination], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const made = readdirSync(destination).filter((name) => !known.has(name));
  if (made.length !== 1) throw new Error(`Packing ${folder} made ${made.length} files.`);
  return join(destination, made[0]);
}
