// How long a newcomer waits: from a clean clone to the first translated sentence, to the open playground, and to its first token.
//
//   npm run first-minutes [-- --empty-home] [--json]
//
// It clones the last commit of this repository, so that nothing built or installed here helps; what was not committed is not measured. With
// --empty-home the package manager has no cache either, and asks the registry for everything. Seconds are those of a clock; CPU seconds are
// what all processes of the step took (Linux), which a busy machine changes less. Without a Chromium the playground is skipped.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { chromium } from 'playwright-core';

const ROOT = resolve(import.meta.dirname, '..');
const SENTENCE = 'A man is riding a bicycle.';
const TRANSLATED = 'Ein Mann fährt Fahrrad.';
/** Seconds that are asked for, on two cores. */
const ASKED = { firstSentence: 60, openPlayground: 120, firstToken: 3 };
/** A step that takes longer than this hangs. */
const MAX_MS = 20 * 60_000;
const TICKS_PER_SECOND = 100;

const { values: options } = parseArgs({ options: { 'empty-home': { type: 'boolean' }, json: { type: 'boolean' } } });
const work = mkdtempSync(join(tmpdir(), 'foretoken-first-minutes-'));
const home = join(work, 'home');
mkdirSync(home);
const env = options['empty-home'] ? { ...process.env, HOME: home, npm_config_cache: join(home, 'npm') } : process.env;
try {
  const figures = { firstSentence: await firstSentence(), ...(await playground()) };
  const record = {
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, load: loadavg()[0], node: process.version },
    emptyHome: options['empty-home'] === true,
    asked: ASKED,
    ...figures,
  };
  console.log(options.json ? JSON.stringify(record) : linesOf(figures).join('\n'));
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

/** From `git clone` to the sentence on standard output. */
async function firstSentence() {
  const clone = join(work, 'sentence');
  return timed(clone, ['npm', 'start', '--', '--task', 'translate', '--text', SENTENCE], TRANSLATED, async () => {});
}

/** From `git clone` to a page that can be used; the page tells when its first token came. */
async function playground() {
  const executablePath = findChromium();
  if (executablePath === undefined) return { skipped: 'the playground: no Chromium was found; CHROME_PATH names one' };
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    let said = '';
    const clone = join(work, 'playground');
    const openPlayground = await timed(clone, ['npm', 'run', 'playground'], /https?:\/\/\S+?:\d+\S*/, async ([url]) => {
      const page = await browser.newPage();
      await page.goto(url, { timeout: MAX_MS });
      await page.waitForSelector('#input', { timeout: MAX_MS });
      return async () => {
        const status = page.locator('.app-status', { hasText: /first token came/ });
        said = await status.textContent({ timeout: MAX_MS });
      };
    });
    return { openPlayground, firstToken: { seconds: Number(/([\d.]+) s after/.exec(said)?.[1]) } };
  } finally {
    await browser.close();
  }
}

/**
 * Clones, runs a command until it prints what is expected, and does what `then` says. That may give a function to call once the clock
 * has been read.
 */
async function timed(clone, words, expected, then) {
  const began = performance.now();
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  // A group of its own, so that all of its processes are counted and ended.
  const child = spawn(words[0], words.slice(1), { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const hangs = setTimeout(() => end(child), MAX_MS);
  try {
    const found = await printed(child, expected);
    const after = await then(found);
    const figures = { seconds: seconds(performance.now() - began), cpuSeconds: cpuSecondsOf(child.pid) };
    await after?.();
    return figures;
  } finally {
    clearTimeout(hangs);
    await end(child);
  }
}

/** Waits until a child prints what is expected; gives the match. */
function printed(child, expected) {
  let text = '';
  return new Promise((done, fail) => {
    const read = (piece) => {
      // Colours are no part of an address.
      text += stripVTControlCharacters(String(piece));
      const found = typeof expected === 'string' ? text.includes(expected) && [expected] : expected.exec(text);
      if (found) done(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', fail);
    child.on('exit', () =>
      fail(new Error(`${child.spawnargs.join(' ')} ended without ${expected}. It printed:\n${text.slice(-2000)}`)),
    );
  });
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  await gone;
}

/** Processor time of a group of processes and of all that they waited for; undefined where the system does not tell. */
function cpuSecondsOf(group) {
  if (process.platform !== 'linux') return undefined;
  let ticks = 0;
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name of the program, in brackets, may hold anything. Then: state, parent, group, ... user, system, and of children.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) === group) ticks += fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return seconds((1000 * ticks) / TICKS_PER_SECOND);
}

function seconds(milliseconds) {
  return Math.round(milliseconds / 10) / 100;
}

function linesOf({ skipped, ...figures }) {
  const lines = Object.entries(figures).map(([name, { seconds: took, cpuSeconds }]) => {
    const cpu = cpuSeconds === undefined ? '' : `, ${cpuSeconds} CPU s`;
    return `${name}: ${took} s${cpu} (asked: ${ASKED[name]} s)`;
  });
  return skipped === undefined ? lines : [...lines, `skipped: ${skipped}`];
}

function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const inPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [process.env.CHROME_PATH, ...inPath, chromium.executablePath()].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
