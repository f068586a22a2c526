import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const fileOf = (name: string): URL => new URL(`../../${name}`, import.meta.url);
const read = (name: string): string => readFileSync(fileOf(name), 'utf8');

/** Every package.json of the repository that says which Node.js it needs. */
const manifests = ['packages', 'apps']
  .flatMap((folder) => readdirSync(fileOf(folder)).map((name) => `${folder}/${name}/package.json`))
  .filter((file) => existsSync(fileOf(file)))
  .map((file) => ({ file, engines: JSON.parse(read(file)).engines as { readonly node: string } | undefined }))
  .filter(({ engines }) => engines !== undefined);

describe('the versions of Node.js', () => {
  const required = JSON.parse(read('package.json')).engines.node as string;

  it('are the same in every package', () => {
    expect(manifests.length).toBeGreaterThan(10);
    for (const { file, engines } of manifests) expect(engines?.node, file).toBe(required);
  });

  it('begin where the texts say, and with the one that runs this', () => {
    const [, major, minor] = /^\^(\d+)\.(\d+)\.0 \|\|/.exec(required) ?? [];
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/guide/quick-start.md']) {
      const said = [...read(file).matchAll(/Node(?:\.js)? (\d+)\.(\d+) or newer/g)].map(([, ...version]) => version);
      expect(said.length, file).toBeGreaterThan(0);
      for (const version of said) expect(version, file).toEqual([major, minor]);
    }
    const [running = 0, runningMinor = 0] = process.versions.node.split('.').map(Number);
    expect(running > Number(major) || (running === Number(major) && runningMinor >= Number(minor))).toBe(true);
  });
});
