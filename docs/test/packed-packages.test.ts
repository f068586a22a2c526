import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './source-files.js';

interface Package {
  readonly folder: string;
  readonly manifest: {
    readonly name: string;
    readonly version: string;
    readonly scripts?: { readonly build?: string };
  };
}

interface Packing {
  publicPackages(root: string): readonly Package[];
  packAll(
    root: string,
    packages: readonly Package[],
    destination: string,
    run: (root: string, words: readonly string[]) => void,
  ): readonly (Package & { readonly tarball: string })[];
}

/** How packages are packed for their checks; a script of the repository, without types. */
const { packAll, publicPackages }: Packing = await import(join(ROOT, 'scripts/packages/pack.mjs'));
const packages = publicPackages(ROOT);

describe('packages that are checked', () => {
  it('are built first, each of them, by the same call that packs them', () => {
    const calls: (readonly string[])[] = [];
    const packed = packAll(ROOT, packages, '/to', (_root, words) => calls.push(words));
    expect(packed.map(({ tarball }) => tarball)).toContainEqual(
      expect.stringMatching(/^.to.foretoken-core-[\d.]+\S*\.tgz$/),
    );
    expect(calls.length).toBe(2);
    const [build, pack] = calls;
    expect(build.slice(0, 4)).toEqual(['exec', 'turbo', 'run', 'build']);
    expect(build).toEqual(expect.arrayContaining(packages.map(({ manifest }) => `--filter=${manifest.name}`)));
    expect(pack).toEqual(expect.arrayContaining(['pack', ...packages.map(({ manifest }) => manifest.name)]));
    // Neither of the two may take what an earlier run left.
    expect(calls.flat().filter((word) => /^--(no-deps|only|cache|ignore-scripts)/.test(word))).toEqual([]);
  });

  it('are built anew where a source of theirs, or of what they import, is another', () => {
    const { build } = JSON.parse(readFileSync(join(ROOT, 'turbo.json'), 'utf8')).tasks;
    expect(build).toEqual({ dependsOn: ['^build'], inputs: ['src/**', 'package.json'], outputs: ['dist/**'] });
  });

  it.each(packages.flatMap(({ folder, manifest }) => (manifest.scripts?.build === undefined ? [] : [folder])))(
    '%s is built of nothing but its sources',
    (folder) => {
      const { build, ...hooks } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).scripts;
      const entries = [...build.matchAll(/--entry\.\S+ (\S+)/g)].map(([, path]: RegExpMatchArray) => path);
      expect(entries.length).toBeGreaterThan(0);
      expect(entries.filter((path) => !path.startsWith('src/'))).toEqual([]);
      expect(Object.keys(hooks).filter((name) => /^(pre|post)(build|pack)|^prepa/.test(name))).toEqual([]);
    },
  );
});
