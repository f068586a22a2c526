import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EXAMPLE_SENTENCES } from '../src/example-sentences.js';
import { RESTORE } from '../src/terminal/live-region.js';
import { longModel, TEXTS } from './race-texts.js';
import { cli, fakeModel } from './support.js';

describe('the table', () => {
  it('compares all strategies, on standard output', async () => {
    const model = fakeModel();
    const { code, stdout } = await cli(['race', ...TEXTS], { model });
    expect(code).toBe(0);
    const cells = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(cells[0]).toEqual([
      'strategy',
      'ms/sentence',
      'forwards/sentence',
      'tokens/forward',
      'speedup',
      'BLEU',
      'identical to greedy',
    ]);
    // Greedy: 5 + 1 and 3 + 1 forwards. CTC errs in the third word of each sentence.
    expect(cells[1]).toEqual(['greedy', expect.stringMatching(/^\d+\.\d\d$/), '5.0', '0.80', '1.00x', '-', '-']);
    expect(cells[2]).toEqual(['ctc', expect.anything(), '1.0', '4.00', expect.stringMatching(/x$/), '-', '0 of 2']);
    expect(cells[3].slice(0, 1)).toEqual(['speculative']);
    expect(cells[3].at(-1)).toBe('2 of 2');
    expect(stdout).toContain('fp32, 1 thread, fake-runtime 9.9.9');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('takes the built-in sentences and scores them when nothing is given', async () => {
    const { code, stdout } = await cli(['race', '--json', '--quiet'], { model: longModel() });
    const record = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(
      record.rows.map(({ source, reference }: { source: string; reference: string }) => ({ source, reference })),
    ).toEqual(EXAMPLE_SENTENCES);
    for (const { bleu, chrf } of record.strategies) {
      expect(bleu).toBeGreaterThanOrEqual(0);
      expect(chrf).toBeGreaterThan(0);
    }
  });

  it('has no speedup and no comparison without greedy', async () => {
    const { stdout } = await cli(['race', '--strategies', 'ctc', ...TEXTS]);
    expect(stdout.split('\n')[1].split(/ {2,}/).slice(3)).toEqual(['4.00', '-', '-', '-']);
  });
});

describe('--json', () => {
  it('prints one object and nothing else on standard output', async () => {
    const { stdout, stderr } = await cli(['race', '--json', '--strategies', 'greedy,speculative', ...TEXTS]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const record = JSON.parse(stdout);
    expect(record).toMatchObject({
      version: 1,
      model: { name: 'word-for-word', folder: '/models/word-for-word' },
      runtime: 'fake-runtime 9.9.9',
      threads: 1,
      precision: 'fp32',
      repeats: 3,
      sentences: 2,
    });
    expect(record.strategies.map(({ strategy }: { strategy: string }) => strategy)).toEqual(['greedy', 'speculative']);
    expect(record.strategies[0].speedup).toBe(1);
    expect(record.strategies[0]).not.toHaveProperty('identical');
    expect(record.strategies[1].identical).toEqual({ count: 2, of: 2 });
    expect(record.strategies[1].acceptance).toBeGreaterThan(0);
    expect(record.strategies[1]).not.toHaveProperty('bleu');
    expect(record.rows[1].outputs[1]).toMatchObject({
      strategy: 'speculative',
      text: 'ein Mann sitzt',
      tokenIds: [4, 9, 10],
    });
    // Progress still goes to standard error.
    expect(stderr).toContain('2/2  a man sits');
  });
});

describe('how often each sentence is decoded', () => {
  // 2 sentences, 3 times each, in 5,000 ms: up to 833 ms a sentence.
  it.each([
    [833, 3],
    [834, 1],
  ])('where one took %d ms while warming up: %d times', async (milliseconds, repeats) => {
    const times = [0, 2 * milliseconds];
    const { stdout } = await cli(['race', '--json', '--strategies', 'greedy', ...TEXTS], {
      services: { now: () => times.shift()! },
    });
    expect(JSON.parse(stdout).repeats).toBe(repeats);
    expect(times).toEqual([]);
  });
});

describe('where sentences come from', () => {
  const sources = async (argv: string[], stdin?: string | Readable, services = {}) => {
    const { stdout } = await cli(['race', '--json', '--quiet', '--strategies', 'ctc', ...argv], {
      stdin,
      services,
      model: longModel(),
    });
    return JSON.parse(stdout).rows.map(({ source }: { source: string }) => source);
  };

  it('takes --file, standard input, and --file - for standard input', async () => {
    const file = join(tmpdir(), `foretoken-race-${process.pid}.txt`);
    await writeFile(file, 'a dog\na man\n');
    expect(await sources(['--file', file])).toEqual(['a dog', 'a man']);
    await rm(file);
    expect(await sources([], 'a man\n')).toEqual(['a man']);
    expect(await sources(['--file', '-'], 'a dog\n')).toEqual(['a dog']);
  });

  it('takes at most --limit, and does not wait for more', async () => {
    const stdin = new Readable({ read() {} });
    stdin.push('a dog\na man\n');
    expect(await sources(['--limit', '1'], stdin)).toEqual(['a dog']);
    expect(await sources(['--limit', '2'])).toEqual(EXAMPLE_SENTENCES.slice(0, 2).map(({ source }) => source));
  });

  it('takes the built-in ones when the pipe is empty, or nobody writes to it', async () => {
    const all = EXAMPLE_SENTENCES.map(({ source }) => source);
    expect(await sources([], '')).toEqual(all);
    expect(await sources([], new Readable({ read() {} }), { sleep: async () => {} })).toEqual(all);
  });

  it.each([
    ['an empty line', 'a dog\n\na man\n', 'EMPTY_SOURCE', 2],
    ['a long line', `${'a '.repeat(30).trim()}\n`, 'SOURCE_TOO_LONG', 1],
  ])('refuses %s before decoding anything, naming it', async (_name, stdin, code, line) => {
    const model = fakeModel();
    const outcome = await cli(['race', '--json'], { stdin, model });
    expect(outcome.code).toBe(2);
    expect(JSON.parse(outcome.stdout).error).toMatchObject({ code, details: { line } });
    expect(model.open.forests).toBe(0);
  });
});

describe('a model that cannot do everything', () => {
  it('races what it can and says what is left out', async () => {
    const { code, stdout, stderr } = await cli(['race', ...TEXTS], { model: fakeModel({ lattice: false }) });
    expect(code).toBe(0);
    expect(stderr).toContain('Left out, since this model cannot serve them: ctc, speculative.');
    expect(stdout).not.toContain('ctc');
  });

  it('refuses what was asked for by name', async () => {
    const model = fakeModel({ lattice: false });
    const { code, stderr } = await cli(['race', '--strategies', 'greedy,ctc', ...TEXTS], { model });
    expect(code).toBe(2);
    expect(stderr).toContain('error UNSUPPORTED_CAPABILITY');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });
});

describe('what is shown meanwhile', () => {
  it('marks accepted tokens with brackets in plain lines', async () => {
    const { stderr } = await cli(['race', '--text', 'a dog runs on grass']);
    expect(stderr).toContain('[accepted from the draft]');
    expect(stderr).toMatch(/greedy {7}ein Hund läuft auf Gras/);
    expect(stderr).toMatch(/speculative {2}\[ein Hund\] läuft/);
    expect(stderr).not.toContain('\x1b');
  });

  it('redraws on a terminal, in colour and underlined, and restores it', async () => {
    const { stderr, stdout } = await cli(['race', ...TEXTS], { stderrIsTerminal: true });
    expect(stderr).toContain('\x1b[32;4mein Hund\x1b[24;39m');
    expect(stderr).toContain('\x1b[?25l');
    expect(stderr.endsWith(RESTORE)).toBe(true);
    expect(stdout).not.toContain('\x1b');
  });

  it.each([
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['--no-color', ['--no-color'], {}],
  ])('underlines only with %s', async (_name, argv, env) => {
    const { stderr } = await cli(['race', ...TEXTS, ...argv], { stderrIsTerminal: true, env });
    expect(stderr).toContain('\x1b[4mein Hund\x1b[24m');
    for (const colour of ['1m', '2m', '31m', '32m', '32;4m']) expect(stderr).not.toContain(`\x1b[${colour}`);
  });

  it('writes plain lines to a dumb terminal and nothing with --quiet', async () => {
    const dumb = await cli(['race', ...TEXTS], { stderrIsTerminal: true, env: { TERM: 'dumb' } });
    expect(dumb.stderr).not.toContain('\x1b');
    expect(dumb.stderr).toContain('2/2  a man sits');
    expect((await cli(['race', '--quiet', ...TEXTS], { stderrIsTerminal: true })).stderr).toBe('');
  });

  it('does not let a sentence rewrite the terminal', async () => {
    const { stderr } = await cli(['race', '--text', 'a \x1b[2Jdog'], { stderrIsTerminal: true });
    expect(stderr).not.toContain('\x1b[2J');
  });

  it.each(['decoding', 'drawing'])('restores the terminal when interrupted while %s', async (when) => {
    const controller = new AbortController();
    let forwards = 0;
    // The warm-up takes 8 + 3 forwards at most before the first sentence is on screen.
    const model = fakeModel({
      onForward: () => {
        if (when === 'decoding' && ++forwards === 30) controller.abort();
      },
    });
    const { code, stdout, stderr } = await cli(['race', ...TEXTS], {
      model,
      signal: controller.signal,
      stderrIsTerminal: true,
      services: {
        sleep: async (_milliseconds, signal) => {
          if (when === 'drawing') controller.abort();
          signal.throwIfAborted();
        },
      },
    });
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr.endsWith(`${RESTORE}\n`)).toBe(true);
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });
});
