// Packs every package, installs the tarballs into fresh projects, and uses them there as a newcomer would.
//
//   npm run packages
//
// It needs built packages (npm test builds them) and a registry or npm cache for the few dependencies.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { metadataFaults } from './metadata.mjs';
import { packAll, publicPackages } from './pack.mjs';
import { followQuickStart } from './quick-start.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'foretoken-packages-'));
const faults = [];

/** Runs a command in a project; a failure is a fault with what it printed. */
function step(what, folder, command, ...words) {
  try {
    const output = execFileSync(command, words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    console.log(`ok    ${what}`);
    return output;
  } catch (error) {
    faults.push(what);
    console.log(`FAULT ${what}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
    return '';
  }
}

function project(name, tarballs, extra = {}) {
  const folder = join(work, name);
  mkdirSync(folder);
  const dependencies = Object.fromEntries(tarballs.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  const content = {
    name,
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: { ...dependencies, ...extra },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(content, undefined, 2));
  step(
    `${name}: npm install`,
    folder,
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--ignore-scripts',
    '--loglevel=error',
  );
  return folder;
}

function bytesOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  }
  return bytes;
}

const packages = packAll(ROOT, publicPackages(ROOT), work).map(({ manifest, tarball }) => {
  const unpacked = join(work, `unpacked-${manifest.name.replace('/', '-')}`);
  mkdirSync(unpacked);
  execFileSync('tar', ['xzf', tarball, '-C', unpacked]);
  const folder = join(unpacked, 'package');
  return { tarball, unpacked: folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) };
});
for (const { manifest, unpacked } of packages) {
  const found = metadataFaults(ROOT, manifest, unpacked);
  for (const fault of found) faults.push(`${manifest.name}: ${fault}`);
  console.log(found.length === 0 ? `ok    ${manifest.name}: metadata` : `FAULT ${manifest.name}: ${found.join('; ')}`);
}

const named = new Map(packages.map((item) => [item.manifest.name, item]));
/** A package with all packages of ours that it needs. */
function withDependencies(name, found = new Map()) {
  const item = named.get(name);
  if (item === undefined || found.has(name)) return found;
  found.set(name, item);
  for (const needed of Object.keys(item.manifest.dependencies ?? {})) withDependencies(needed, found);
  return found;
}

/** The workspace's own copy: the native runtime is not what is tried here. */
const native = (name, folder = join(ROOT, 'node_modules')) => `file:${realpathSync(join(folder, name))}`;

// Each plugin alone: in ECMAScript modules, in CommonJS, and in size.
const PLUGINS = ['greedy', 'beam', 'one-shot', 'refine', 'speculative', 'language-models', 'metrics', 'testkit'];
const MAX_PLUGIN_BYTES = 1_000_000;
for (const plugin of PLUGINS) {
  const name = `@foretoken/${plugin}`;
  const needed = withDependencies(name);
  const folder = project(
    `alone-${plugin}`,
    [...needed.values()],
    plugin === 'testkit' ? { vitest: native('vitest') } : {},
  );
  writeFileSync(
    join(folder, 'main.mjs'),
    `import * as all from '${name}';\nif (Object.keys(all).length === 0) throw new Error('It exports nothing.');\n`,
  );
  writeFileSync(
    join(folder, 'main.cjs'),
    `const all = require('${name}');\nif (Object.keys(all).length === 0) throw new Error('It exports nothing.');\n`,
  );
  if (plugin !== 'testkit') {
    step(`alone-${plugin}: import`, folder, process.execPath, 'main.mjs');
    step(`alone-${plugin}: require`, folder, process.execPath, 'main.cjs');
  }
  const bytes = bytesOf(join(folder, 'node_modules/@foretoken'));
  console.log(`      alone-${plugin}: ${(bytes / 1000).toFixed(0)} kB of Foretoken`);
  if (bytes > MAX_PLUGIN_BYTES) faults.push(`alone-${plugin}: ${bytes} bytes, at most ${MAX_PLUGIN_BYTES}`);
}

// The README's first program and its types, with a model package.
const all = packages.filter(({ manifest }) => manifest.name !== '@foretoken/testkit');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const snippet = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
const everything = project('everything', all, {
  'onnxruntime-node': native('onnxruntime-node'),
  'onnxruntime-common': native('onnxruntime-common', join(ROOT, 'packages/core/node_modules')),
  typescript: native('typescript'),
  '@types/node': native('@types/node'),
});
writeFileSync(join(everything, 'main.mjs'), snippet);
const printed = step('everything: the first program of the README', everything, process.execPath, 'main.mjs');
if (printed !== '' && !/tokens in \d+ forwards/.test(printed)) faults.push(`the README's program printed ${printed}`);
writeFileSync(join(everything, 'main.ts'), snippet);
for (const [kind, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
]) {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable', 'dom'],
    module,
    moduleResolution: kind,
    strict: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck: false,
  };
  const file = `tsconfig.${kind}.json`;
  writeFileSync(join(everything, file), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  step(`everything: types, ${kind}`, everything, process.execPath, 'node_modules/typescript/bin/tsc', '-p', file);
}
writeFileSync(join(everything, 'sentence.txt'), 'A man is riding a bicycle.\n');
step(
  'everything: foretoken --version',
  everything,
  process.execPath,
  'node_modules/@foretoken/cli/dist/main.js',
  '--version',
);
step(
  'everything: foretoken decode',
  everything,
  process.execPath,
  'node_modules/@foretoken/cli/dist/main.js',
  'decode',
  '--file',
  'sentence.txt',
);

const tarballsOf = (name) => [...withDependencies(name).values()].map(({ tarball }) => tarball);
const quickStart = followQuickStart(ROOT, join(work, 'quick-start'), tarballsOf);
faults.push(...quickStart);
console.log(quickStart.length === 0 ? 'ok    the quick start, step by step' : `FAULT ${quickStart.join('; ')}`);

rmSync(work, { recursive: true, force: true });
if (faults.length > 0) {
  console.log(`\n${faults.length} faults:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exitCode = 1;
}
