import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { LatticeModel, TokenSource } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { scriptedLattice, simpleCorrection } from '../../../packages/correction/test/scripted-corrector.js';
import { correct, correctorModel } from './corrector-command.js';

const LINE_LIMIT = 2 ** 20;

describe('lines that are not corrected', () => {
  it('stay as they are and are told of once, however many parts they come in', async () => {
    const long = 'x '.repeat(2 * LINE_LIMIT);
    const { code, stdout, stderr } = await correct([], { stdin: `${long}\nteh cat\n${long}\n` });
    expect([code, stdout === `${long}\nThe cat.\n${long}\n`]).toEqual([0, true]);
    expect(stderr.match(/warning: line \d+ is too long to be read/g)).toEqual(
      [1, 3].map((line) => `warning: line ${line} is too long to be read`),
    );
  });

  it('stay in a diff, and are marked in JSON', async () => {
    const stdin = `${'x '.repeat(LINE_LIMIT)}\nteh cat\n`;
    expect((await correct(['--diff'], { stdin })).stdout.endsWith('x \n[-teh-]{+The+} cat{+.+}\n')).toBe(true);
    const { rows } = JSON.parse((await correct(['--json'], { stdin })).stdout);
    expect(rows.map(({ cut }: { cut?: boolean }) => cut)).toEqual([true, undefined]);
  });

  it('are told of where a word is too long for the model, by the number of the line or text', async () => {
    const long = 'x'.repeat(5_000);
    const warning = 'warning: line 2 has a part that is too long for the model; it stays as it is.\n';
    for (const given of [
      await correct([], { stdin: `teh\nteh ${long}` }),
      await correct(['--text', 'teh', '--text', `teh ${long}`]),
    ]) {
      expect([given.stdout.trim(), given.stderr]).toEqual([`The.\nThe ${long}`, warning]);
    }
  });

  it('end before the next line of a file begins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'correct-'));
    try {
      const path = join(folder, 'long.txt');
      for (const [first, expected] of [
        ['x '.repeat(LINE_LIMIT / 2 + 2), 'The cat.'],
        // So many units are not given at once.
        ['The cat sleeps and '.repeat(1_060), 'The cat.'],
      ]) {
        await writeFile(path, `${first}\nteh cat\n`);
        const { rows } = JSON.parse((await correct(['--file', path, '--json'])).stdout);
        const last = rows.at(-1);
        expect([last.source, last.text]).toEqual(['teh cat', expected]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are those between fences of one text, and of none where texts come one by one', async () => {
    expect((await correct([], { stdin: '~~~\nteh cat\n' })).stdout).toBe('~~~\nteh cat\n');
    expect((await correct(['--text', '~~~', '--text', 'teh cat'])).stdout).toBe('~~~\nThe cat.\n');
  });
});

describe('a folder of several CTC models', () => {
  const asked: unknown[] = [];
  const named = (name: string): LatticeModel<TokenSource> => {
    const lattice = scriptedLattice(simpleCorrection);
    return {
      ...lattice,
      emit: (sources, options) => {
        asked.push(name);
        return lattice.emit(sources, options);
      },
    };
  };
  const variants: Readonly<Record<string, LatticeModel<TokenSource>>> = { fast: named('fast'), draft: named('draft') };
  const model = correctorModel();
  const find: typeof model.find = (kind, which) => {
    const { variant } = Object(which);
    return kind === 'lattice' && variant !== undefined ? (variants[variant] as never) : model.find(kind, which);
  };

  it.each([
    ['fast', ['--strategy', 'ctc']],
    ['draft', ['--drafter', 'copy-ctc']],
  ])('corrects with the one that is made for it: %s', async (name, options) => {
    asked.length = 0;
    const { stdout } = await correct([...options, '--text', 'teh cat'], { model: { ...model, find } });
    expect([stdout, ...asked]).toEqual(['The cat.\n', name]);
  });
});

it('the model is released, also after a failure', async () => {
  let released = 0;
  for (const stdin of ['teh cat', Buffer.from([0xff])]) {
    const model = correctorModel();
    const watched = {
      ...model,
      [Symbol.asyncDispose]: async () => {
        released++;
      },
    };
    await correct([], { stdin: Readable.from([Buffer.from(stdin)]), model: watched });
  }
  expect(released).toBe(2);
});

it('what a terminal would obey is shown and not written', async () => {
  const { stdout } = await correct(['--text', 'teh \x1b[2Jcat'], { stdoutIsTerminal: true });
  expect(stdout).toBe('The \ufffd[2Jcat.\n');
});

it('the figures of all lines are the sums of those of each', async () => {
  const { stdout } = await correct(['--json'], { stdin: 'teh cat\nThe wrold.\n???\nalot of it\n' });
  const { rows, statistics } = JSON.parse(stdout);
  const sum = (of: (one: typeof statistics) => number): number =>
    rows.reduce((total: number, row: { statistics: typeof statistics }) => total + of(row.statistics), 0);
  for (const name of ['forwards', 'tokens', 'totalMs'])
    expect(statistics[name]).toBeCloseTo(
      sum((one) => one[name]),
      6,
    );
  for (const name of ['draftForwards', 'proposed', 'evaluated', 'accepted']) {
    expect(statistics.speculation[name]).toBe(sum((one) => one.speculation?.[name] ?? 0));
  }
});
