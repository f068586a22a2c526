import { spawn } from 'node:child_process';
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeModelFolder } from '../src/folder/write-folder.js';
import { openModelFolder } from '../src/node/open-model-folder.js';
import { FILES, MANIFEST, temporaryFolder } from './folder-fixtures.js';

const SOURCE = fileURLToPath(new URL('../src/folder/write-folder.ts', import.meta.url));
const FEW_FILES = new Map([...FILES].map(([name, content]) => [name, content.slice(0, 3)] as const));
const NEW_FILES = new Map([...FEW_FILES].map(([name, content]) => [name, `${content} new`] as const));
const OTHER_FILES = new Map([...FEW_FILES].map(([name, content]) => [name, `${content} other`] as const));
const NEXT_FILES = new Map([...FEW_FILES].map(([name, content]) => [name, `${content} next`] as const));

/** Writes a model folder, and kills itself before step `KILL` of those that change the disk. */
const RUN = `
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
let left = Number(process.env.KILL);
const step = () => {
  if (left-- > 0) return;
  process.kill(process.pid, 'SIGKILL');
  for (;;);
};
const counted = (real) => (...args) => {
  step();
  return real(...args);
};
for (const name of ['mkdir', 'rename', 'rm', 'rmdir', 'writeFile']) promises[name] = counted(promises[name]);
const { open } = promises;
promises.open = async (...args) => {
  if (args[1] === 'wx') step();
  const file = await open(...args);
  for (const name of ['writeFile', 'sync']) file[name] = counted(file[name].bind(file));
  return file;
};
syncBuiltinESMExports();
const { writeModelFolder } = await import('./write-folder.mjs');
const { manifest, files } = JSON.parse(process.env.CONTENT);
await writeModelFolder(process.env.TARGET, manifest, new Map(files), { replace: true });
`;

let program: string;
beforeAll(async () => {
  const outDir = await temporaryFolder();
  await build({
    config: false,
    entry: [SOURCE],
    outDir,
    format: 'esm',
    dts: false,
    logLevel: 'silent',
    deps: { alwaysBundle: [/./] },
    inputOptions: { resolve: { conditionNames: ['foretoken-source', 'import', 'node', 'default'] } },
  });
  program = join(outDir, 'run.mjs');
  await writeFile(program, RUN);
});

/** Runs the program and kills it before its step `kill`; false where it has no such step. */
async function killed(target: string, kill: number): Promise<boolean> {
  const content = { manifest: { ...MANIFEST, name: 'new' }, files: [...NEW_FILES] };
  const env = { ...process.env, KILL: String(kill), TARGET: target, CONTENT: JSON.stringify(content) };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...how) => resolve(how));
  });
  expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL']);
  return signal !== null;
}

/** Names in a model folder but its own files. */
async function litter(target: string): Promise<string[]> {
  const { manifest } = await openModelFolder(target);
  const own = new Set(['foretoken.json', ...Object.keys(manifest.files)]);
  for (const name of [...own]) {
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth++) own.add(parts.slice(0, depth).join('/'));
  }
  return (await readdir(target, { recursive: true })).filter((name) => !own.has(name));
}

/** What a killed run leaves, and the next run after it. */
async function survives(parent: string, allowed: readonly string[]): Promise<string> {
  const target = join(parent, 'model');
  const found = (await readdir(parent)).includes('model') ? (await openModelFolder(target)).manifest.name : 'nothing';
  expect(allowed).toContain(found);
  await writeModelFolder(target, { ...MANIFEST, name: 'next' }, NEXT_FILES, { replace: true });
  const { manifest, readText } = await openModelFolder(target);
  expect(manifest.name).toBe('next');
  expect(await readText(manifest.tokenizer as string)).toBe(NEXT_FILES.get('tokenizer.json'));
  expect(await litter(target)).toEqual([]);
  expect(await readdir(parent)).toEqual(['model']);
  return found;
}

describe('a run that is killed before any of its steps', () => {
  test('has written nothing or all of a new folder, and leaves nothing to the next run', async () => {
    const found: string[] = [];
    for (let kill = 0; ; kill++) {
      const parent = await temporaryFolder();
      if (!(await killed(join(parent, 'model'), kill))) break;
      found.push(await survives(parent, ['nothing', 'new']));
    }
    expect(found.length).toBeGreaterThan(15);
    expect([found[0], found.at(-1)]).toEqual(['nothing', 'new']);
  });

  test('leaves the old model or the new one, and nothing to the next run', async () => {
    const fresh = join(await temporaryFolder(), 'fresh');
    await writeModelFolder(fresh, { ...MANIFEST, name: 'old' }, FEW_FILES);
    // Its files lie in a folder of their own already.
    const replaced = join(await temporaryFolder(), 'replaced');
    await cp(fresh, replaced, { recursive: true });
    await writeModelFolder(replaced, { ...MANIFEST, name: 'old' }, OTHER_FILES, { replace: true });
    const found: string[] = [];
    for (let kill = 0; ; kill++) {
      const parent = await temporaryFolder();
      await cp(kill % 2 === 0 ? fresh : replaced, join(parent, 'model'), { recursive: true });
      if (!(await killed(join(parent, 'model'), kill))) break;
      found.push(await survives(parent, ['old', 'new']));
    }
    expect(found.length).toBeGreaterThan(20);
    expect([found[0], found.at(-1)]).toEqual(['old', 'new']);
    // Once the new model is there it stays.
    expect(found.lastIndexOf('old')).toBeLessThan(found.indexOf('new'));
  });
});
