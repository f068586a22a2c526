// Plants the faults of `list/` one at a time in a copy of the checkout and runs the tests named beside each.
// CONTRIBUTING.md says how to use it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { copyCheckout, filesOf } from './checkout-copy.mjs';

const REQUIRED_SHARE = 0.9;
const OUTCOMES = ['killed', 'hung', 'survived', 'stale', 'red'];

const HELP = `npm run mutants -- [--only FILE] [--list] [--json] [--fresh]

  --only FILE  only faults in files whose path contains FILE
  --list       print the faults and run nothing
  --json       print the results as JSON on standard output
  --fresh      forget what earlier runs found

killed    a test failed
hung      the tests did not end within the time limit; counts as killed
survived  all tests passed
stale     the original text does not occur exactly once; mend the entry
red       the tests do not pass without the fault, or the file with it cannot be loaded
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const here = dirname(fileURLToPath(import.meta.url));
const checkout = join(here, '../..');
const cache = join(checkout, 'node_modules/.cache/mutants.jsonl');
const say = (line) => process.stderr.write(`${line}\n`);

let copy;
let running;
process.on('exit', () => {
  stop(running);
  if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

if (options.help) process.stdout.write(HELP);
else await main();

async function main() {
  const files = filesOf(checkout);
  const mutants = (await readList(files)).filter(
    ({ file }) => options.only === undefined || file.includes(options.only),
  );
  if (options.list) {
    for (const { place, stale, original, replacement } of mutants) {
      process.stdout.write(`${place}${stale ? ' (stale)' : ''}\n  - ${shown(original)}\n  + ${shown(replacement)}\n`);
    }
    process.stdout.write(`${mutants.length} faults\n`);
    return;
  }
  if (options.fresh) rmSync(cache, { force: true });
  const known = readKnown();
  // Whatever else runs on the machine goes first.
  setPriority(2);
  const seconds = new Map();
  for (const [index, mutant] of mutants.entries()) {
    const found = mutant.stale ? undefined : known.get(mutant.key);
    mutant.earlier = found !== undefined;
    mutant.outcome = mutant.stale ? 'stale' : (found ?? (await run(mutant, seconds, files)));
    if (!mutant.earlier && mutant.outcome !== 'stale') remember(mutant);
    const note = mutant.earlier ? ' (found earlier)' : '';
    say(`${index + 1}/${mutants.length} ${mutant.outcome} ${mutant.place}${note}`);
  }
  report(mutants);
}

/** Reads all lists; each entry gets its place, its key and whether its text has moved. */
async function readList(files) {
  const mutants = [];
  for (const name of readdirSync(join(here, 'list')).sort()) {
    const { default: groups } = await import(`./list/${name}`);
    for (const { file, tests, faults } of groups) {
      const text = existsSync(join(checkout, file)) ? readFileSync(join(checkout, file), 'utf8') : '';
      for (const [original, replacement, otherTests = tests] of faults) {
        const testFiles = expand(otherTests, files);
        const parts = text.split(original);
        const stale = parts.length !== 2 || original === replacement || testFiles.length === 0;
        const place = stale ? `${file} "${shown(original)}"` : `${file}:${parts[0].split('\n').length}`;
        const mutated = stale ? text : parts.join(replacement);
        const key = digest([
          file,
          mutated,
          ...testFiles.toSorted().flatMap((test) => [test, ...sourcesOf(test, files)]),
        ]);
        mutants.push({ file, place, original, replacement, testFiles, mutated, text, stale, key });
      }
    }
  }
  return mutants;
}

function expand(globs, files) {
  const patterns = globs.map((glob) => {
    const source = glob.replace(/[.+^$()|[\]{}]/g, '\\$&').replace(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '.*'));
    return new RegExp(`^${source}$`);
  });
  return [...new Set(patterns.flatMap((pattern) => files.filter((file) => pattern.test(file))))];
}

/** The text of a test file and of the helpers beside it: a result holds as long as these stay the same. */
function sourcesOf(test, files) {
  const folder = `${dirname(test)}/`;
  const helpers = files.filter((file) => file.startsWith(folder) && file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return [test, ...helpers].map((file) => readFileSync(join(checkout, file), 'utf8'));
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}

function readKnown() {
  if (!existsSync(cache)) return new Map();
  const lines = readFileSync(cache, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map(({ key, outcome }) => [key, outcome]));
}

/** A test that is red for another reason, or an entry that moved, is looked at again next time. */
function remember({ key, place, outcome }) {
  if (outcome === 'red') return;
  mkdirSync(dirname(cache), { recursive: true });
  appendFileSync(cache, `${JSON.stringify({ key, outcome, place })}\n`);
}

/**
 * Runs the tests one file after another, the quick ones first, until one finds the fault.
 * Each file is run without the fault before it is first relied on.
 */
async function run({ file, mutated, text, testFiles }, seconds, files) {
  copy ??= copyCheckout(checkout, files);
  const timeOf = (test) => seconds.get(test) ?? Number.MAX_VALUE;
  for (const test of testFiles.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    if (!seconds.has(test)) {
      const began = performance.now();
      const passes = (await runTest(test, 900)) === 'survived';
      if (!passes) say(`${test} does not pass without a fault.`);
      seconds.set(test, passes ? (performance.now() - began) / 1000 : Number.NaN);
    }
    if (Number.isNaN(seconds.get(test))) return 'red';
    writeFileSync(join(copy, file), mutated);
    // The machine may be much busier than it was for the first run.
    const outcome = await runTest(test, 60 + 6 * seconds.get(test));
    writeFileSync(join(copy, file), text);
    if (outcome !== 'survived') return outcome;
  }
  return 'survived';
}

/** Runs a test file in the copy until the first failure; the processes it starts end with it. */
async function runTest(test, limitSeconds) {
  const output = join(copy, 'node_modules/.mutant.json');
  rmSync(output, { force: true });
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const settings = ['--bail=1', '--no-file-parallelism', '--reporter=json', `--outputFile=${output}`];
  const child = spawn(process.execPath, [vitest, 'run', test, ...settings], {
    cwd: copy,
    // A fault that fills the memory must end its own process, not the machine's others.
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=2048', NO_COLOR: '1' },
    stdio: 'ignore',
    detached: true,
  });
  running = child;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop(child);
  }, limitSeconds * 1000);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearTimeout(timer);
  stop(child);
  running = undefined;
  if (late) return 'hung';
  if (code === 0) return 'survived';
  return loaded(output) ? 'killed' : 'red';
}

function stop(child) {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** False where a file failed before any of its tests began: a fault that cannot be loaded tells nothing. */
function loaded(output) {
  if (!existsSync(output)) return true;
  const { testResults } = JSON.parse(readFileSync(output, 'utf8'));
  return testResults.every(({ status, assertionResults }) => status === 'passed' || assertionResults.length > 0);
}

function report(mutants) {
  const counts = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, mutants.filter((one) => one.outcome === outcome).length]),
  );
  const killed = counts.killed + counts.hung;
  const share = mutants.length === 0 ? 0 : killed / mutants.length;
  const left = mutants.filter(({ outcome }) => outcome !== 'killed' && outcome !== 'hung');
  for (const { place, outcome, original, replacement } of left) {
    say(`\n${outcome}: ${place}\n  - ${shown(original)}\n  + ${shown(replacement)}`);
  }
  const summary = OUTCOMES.map((outcome) => `${counts[outcome]} ${outcome}`).join(', ');
  say(
    `\n${mutants.length} faults: ${summary}. Killed: ${(100 * share).toFixed(1)} %; required: ${100 * REQUIRED_SHARE} %.`,
  );
  if (options.json) {
    const results = mutants.map(({ file, place, original, replacement, testFiles, outcome, earlier }) => {
      return { file, place, original, replacement, tests: testFiles, outcome, earlier };
    });
    process.stdout.write(`${JSON.stringify({ counts, share, required: REQUIRED_SHARE, results }, null, 2)}\n`);
  }
  process.exitCode = share < REQUIRED_SHARE ? 1 : 0;
}

function shown(text) {
  return text.replace(/\s+/g, ' ');
}
