import { Readable } from 'node:stream';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { records } from './json-lines.js';
import { cli, fakeModel } from './support.js';

describe('plain output', () => {
  it.each(['greedy', 'speculative'])('%s prints one line for each line piped in', async (strategy) => {
    const model = fakeModel();
    const stdin = 'a dog runs on grass\r\na man sits';
    const outcome = await cli(['decode', '--strategy', strategy], { stdin, model });
    expect(outcome).toEqual({ code: 0, stdout: 'ein Hund läuft auf Gras\nein Mann sitzt\n', stderr: '' });
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('decodes with the CTC model, which errs where it errs', async () => {
    const { code, stdout } = await cli(['decode', '--strategy', 'ctc', '--text', 'a dog runs']);
    expect([code, stdout]).toEqual([0, 'ein Hund ein\n']);
  });

  it.each(['copy', 'ngram'])('drafts without a lattice: %s', async (drafter) => {
    const argv = ['decode', '--strategy', 'speculative', '--drafter', drafter, '--text', 'a dog runs'];
    expect((await cli(argv, { model: fakeModel({ lattice: false }) })).stdout).toBe('ein Hund läuft\n');
  });

  it('stops after --max-new-tokens', async () => {
    const { stdout } = await cli(['decode', '--text', 'a dog runs', '--max-new-tokens', '2']);
    expect(stdout).toBe('ein Hund\n');
  });

  it('prints a line before the next one has arrived', async () => {
    const stdin = new Readable({ read() {} });
    const seen: string[] = [];
    const loadedModel = fakeModel({
      onForward: () => {
        if (seen.length === 0) seen.push('first decoded while the pipe is open');
      },
    });
    stdin.push('a dog\n');
    const done = cli(['decode'], { stdin, model: loadedModel });
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stdin.push('a man\n');
    stdin.push(null);
    expect((await done).stdout).toBe('ein Hund\nein Mann\n');
  });

  it('keeps lines side by side when one of them is bad, and exits with 1', async () => {
    const stdin = `a dog\n\n${'a '.repeat(30).trim()}\na man\n`;
    const { code, stdout, stderr } = await cli(['decode'], { stdin });
    expect(code).toBe(1);
    expect(stdout).toBe('ein Hund\n\n\nein Mann\n');
    expect(stderr).toContain('error EMPTY_SOURCE: Line 2:');
    expect(stderr).toContain('error SOURCE_TOO_LONG: Line 3:');
  });

  it('warns of unknown words, unless --quiet', async () => {
    const { code, stdout, stderr } = await cli(['decode', '--text', 'a zebra runs']);
    expect([code, stdout]).toEqual([0, 'ein <unk> läuft\n']);
    expect(stderr).toMatch(/line 1: 1 token stands for characters the model does not know/);
    expect((await cli(['decode', '--quiet', '--text', 'a zebra runs'])).stderr).toBe('');
  });

  it('grows on a terminal and ends as it would in a pipe', async () => {
    const { stdout } = await cli(['decode', '--text', 'a dog runs'], { stdoutIsTerminal: true });
    expect(stdout).toBe('ein Hund läuft\n');
  });
});

describe('bad input', () => {
  it.each([
    ['EMPTY_SOURCE', ['--text', '']],
    ['EMPTY_SOURCE', ['--text', ' \t ']],
    ['EMPTY_SOURCE', ['--text', 'a dog', '--text', '']],
    ['SOURCE_TOO_LONG', ['--text', 'a dog', '--text', 'a '.repeat(30).trim()]],
  ])('%s from the command line is found before anything is decoded', async (code, argv) => {
    const outcome = await cli(['decode', ...argv]);
    expect([outcome.code, outcome.stdout]).toEqual([2, '']);
    expect(outcome.stderr).toContain(`error ${code}`);
  });

  it.each([
    ['ctc', []],
    ['speculative', []],
    ['speculative', ['--drafter', 'lattice']],
  ])('%s %j is refused by a model without a lattice', async (strategy, more) => {
    const model = fakeModel({ lattice: false });
    const outcome = await cli(['decode', '--json', '--text', 'a', '--strategy', strategy, ...more], { model });
    expect(outcome.code).toBe(2);
    expect(JSON.parse(outcome.stdout).error.code).toBe('UNSUPPORTED_CAPABILITY');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('ends with 2 at a --text that proves too long while it is decoded, where a line of a file is passed over', async () => {
    let forwards = 0;
    const model = () =>
      fakeModel({
        onForward: () => {
          if (++forwards === 1) throw new ForetokenError('LENGTH_LIMIT', 'too long');
        },
      });
    const texts = await cli(['decode', '--text', 'a dog', '--text', 'a man'], { model: model() });
    expect([texts.code, texts.stdout, forwards]).toEqual([2, '', 1]);
    expect(texts.stderr).toContain('error LENGTH_LIMIT');
    forwards = 0;
    const lines = await cli(['decode'], { stdin: 'a dog\na man\n', model: model() });
    expect([lines.code, lines.stdout]).toEqual([1, '\nein Mann\n']);
  });

  it('exits with 2 for a bad model folder and with 1 for a failing runtime', async () => {
    const failing = (code: 'INVALID_MODEL_FOLDER' | 'RUNTIME_FAILURE') =>
      cli(['decode', '--text', 'a'], {
        services: { loadModel: () => Promise.reject(new ForetokenError(code, 'no\x1b[2J good')) },
      });
    const folder = await failing('INVALID_MODEL_FOLDER');
    expect(folder.code).toBe(2);
    expect(folder.stderr).toBe('error INVALID_MODEL_FOLDER: no\ufffd[2J good\n');
    expect((await failing('RUNTIME_FAILURE')).code).toBe(1);
  });

  it('stops at a failure that is not about the line', async () => {
    const model = fakeModel({
      onForward: () => {
        throw new ForetokenError('RUNTIME_FAILURE', 'The native runtime failed.');
      },
    });
    const { code, stdout, stderr } = await cli(['decode'], { stdin: 'a dog\na man\n', model });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('error RUNTIME_FAILURE');
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });
});

describe('search options', () => {
  it('ends a line with the token that completes a stop string', async () => {
    const { stdout } = await cli(['decode', '--text', 'a dog runs', '--stop-string', 'Hun']);
    expect(stdout).toBe('ein Hund\n');
  });

  it.each([['sampling'], ['beam']])('refuses %s on a model without the outputs it needs', async (strategy) => {
    const { code, stderr } = await cli(['decode', '--strategy', strategy, '--text', 'a dog']);
    expect(code).toBe(2);
    expect(stderr).toContain('UNSUPPORTED_CAPABILITY');
  });
});

describe('--json', () => {
  it('prints one object, bad lines included', async () => {
    const { code, stdout } = await cli(['decode', '--json'], { stdin: 'a dog\n\n' });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      strategy: 'greedy',
      rows: [
        {
          line: 1,
          source: 'a dog',
          text: 'ein Hund',
          tokenIds: [4, 5],
          finishReason: 'end-token',
          unknownTokens: 0,
          statistics: expect.objectContaining({ forwards: 3, tokens: 2 }),
          hypotheses: [{ text: 'ein Hund', tokenIds: [4, 5], finishReason: 'end-token' }],
        },
        { line: 2, source: '', error: { code: 'EMPTY_SOURCE', message: expect.any(String), details: { line: 2 } } },
      ],
    });
  });
});

describe('--jsonl', () => {
  it('prints every event with version and line, then the line and errors', async () => {
    const { code, stdout } = await cli(['decode', '--jsonl', '--strategy', 'speculative'], { stdin: 'a dog runs\n\n' });
    const all = records(stdout);
    expect(code).toBe(1);
    expect(all.every(({ version }) => version === 1)).toBe(true);
    const committed = all.filter(({ type }) => type === 'token-commit').flatMap(({ tokenIds }) => tokenIds);
    const end = all.find(({ type }) => type === 'line-end');
    expect(committed).toEqual([4, 5, 6]);
    expect(end).toMatchObject({ line: 1, text: 'ein Hund läuft', tokenIds: [4, 5, 6] });
    expect(end.statistics.speculation.accepted).toBeGreaterThan(0);
    expect(all.some(({ type }) => type === 'draft-end')).toBe(true);
    expect(all.at(-1)).toMatchObject({ type: 'error', line: 2, error: { code: 'EMPTY_SOURCE' } });
  });

  it('gives a fatal error as a record too', async () => {
    const { code, stdout } = await cli(['decode', '--jsonl', '--text', '']);
    expect(code).toBe(2);
    expect(records(stdout)).toEqual([
      { version: 1, type: 'error', error: expect.objectContaining({ code: 'EMPTY_SOURCE' }) },
    ]);
  });
});

describe('interruption', () => {
  it('stops before the next forward, releases everything, ends the line, exits with 130', async () => {
    const controller = new AbortController();
    let forwards = 0;
    const model = fakeModel({
      onForward: () => {
        if (++forwards === 2) controller.abort();
      },
    });
    const { code, stdout, stderr } = await cli(['decode', '--text', 'a dog runs on grass'], {
      model,
      signal: controller.signal,
      stdoutIsTerminal: true,
    });
    expect([code, stderr]).toEqual([130, '']);
    expect(forwards).toBe(2);
    expect(stdout.endsWith('\n')).toBe(true);
    expect('ein Hund läuft auf Gras'.startsWith(stdout.trimEnd())).toBe(true);
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('does not wait for a pipe that stays open', async () => {
    const controller = new AbortController();
    const stdin = new Readable({ read() {} });
    const done = cli(['decode'], { stdin, signal: controller.signal });
    // Aborted once it waits for a line, whenever that is.
    while (stdin.listenerCount('readable') === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect((await done).code).toBe(130);
    expect(stdin.destroyed).toBe(true);
  });

  it('prints no half object with --json', async () => {
    const controller = new AbortController();
    const model = fakeModel({ onForward: () => controller.abort() });
    const { code, stdout } = await cli(['decode', '--json', '--text', 'a'], { model, signal: controller.signal });
    expect([code, stdout]).toEqual([130, '']);
  });
});
