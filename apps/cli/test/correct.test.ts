import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  scriptedCorrector,
  scriptedLattice,
  simpleCorrection,
} from '../../../packages/correction/test/scripted-corrector.js';
import { rawLines } from '../src/raw-lines.js';
import { correct, correctorModel } from './corrector-command.js';
import { fakeModel, withParts } from './support.js';

describe('foretoken correct', () => {
  it('gives the text back, line by line, with every line ending and all white space', async () => {
    const stdin = '\ufeff\tteh cat\r\n\r\n  \n- alot  of\r cat\x00\n```\nteh code\n```\nend of it';
    const { code, stdout, stderr } = await correct([], { stdin });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe('\ufeff\tThe cat.\r\n\r\n  \n- A lot  of\r Cat\x00\n```\nteh code\n```\nEnd of it.');
  });

  it('takes texts from the command line, and a file', async () => {
    const { stdout } = await correct(['--text', 'teh cat', '--text', '', '--text', '???']);
    expect(stdout).toBe('The cat.\n\n???\n');
    const { code, stderr } = await correct(['--file', '/nowhere/at/all']);
    expect(code).toBe(2);
    expect(stderr).toContain('cannot be read');
  });

  it('reads a sentence that a file has on several lines as one, and gives each line back', async () => {
    const text =
      'The quick brown fox jumps over all of the\r\nlazy dogs and then it goes down\r\nto teh river\n\nteh end\n';
    const folder = await mkdtemp(join(tmpdir(), 'correct-'));
    try {
      const path = join(folder, 'wrapped.txt');
      await writeFile(path, text);
      const { stdout } = await correct(['--file', path]);
      expect(stdout).toBe(text.replace('teh river', 'the river.').replace('teh end', 'The end.'));
      const { rows } = JSON.parse((await correct(['--file', path, '--json'])).stdout);
      expect(rows.map(({ line, ending }: Record<string, unknown>) => [line, ending])).toEqual([
        [1, '\n'],
        [4, '\n'],
        [5, '\n'],
      ]);
      expect(rows.map((row: Record<string, string>) => row.source + row.ending).join('')).toBe(text);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reads on where a line goes on with a name', async () => {
    const text = 'The quick brown fox jumps over all of the\nLazy Dogs and then it goes down to teh river\n';
    const folder = await mkdtemp(join(tmpdir(), 'correct-'));
    try {
      const path = join(folder, 'named.txt');
      await writeFile(path, text);
      expect((await correct(['--file', path])).stdout).toBe(text.replace('teh river', 'the river.'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('corrects in one forward a text where the CTC model is asked for', async () => {
    const { autoregressive, tokenizer } = scriptedCorrector(() => 'not asked');
    const model = { ...fakeModel(), tokenizer: { ...tokenizer, countUnknown: () => 0 } };
    const both = withParts(model, { autoregressive, ctc: scriptedLattice(simpleCorrection) });
    const { stdout } = await correct(['--strategy', 'ctc', '--text', 'teh cat', '--json'], { model: both });
    const { rows, statistics } = JSON.parse(stdout);
    expect([rows[0].text, statistics.forwards]).toEqual(['The cat.', 1]);
    expect(await correct(['--strategy', 'ctc', '--text', 'a'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('keeps the words that are named, and knows other letters where it is told them', async () => {
    const { stdout } = await correct(['--text', 'teh Teh wrold', '--keep', 'teh, Other']);
    expect(stdout).toBe('teh Teh world.\n');
    const model = correctorModel((read) => read.replace('größ', 'groß'));
    expect((await correct(['--text', 'So größ.'], { model })).stdout).toBe('So größ.\n');
    const letters = 'abcdefghijklmnopqrstuvwxyzäöüß';
    expect((await correct(['--text', 'So größ.', '--alphabet', letters], { model })).stdout).toBe('So groß.\n');
    expect(await correct(['--text', 'a', '--keep', 'two words'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('says the edits by span, with their probability', async () => {
    const { stdout } = await correct(['--json'], { stdin: 'teh cat\nThe wrold.\n' });
    const { version, rows, statistics } = JSON.parse(stdout);
    expect(version).toBe(1);
    expect(rows.map(({ line, source, text, ending }: Record<string, unknown>) => [line, source, text, ending])).toEqual(
      [
        [1, 'teh cat', 'The cat.', '\n'],
        [2, 'The wrold.', 'The world.', '\n'],
      ],
    );
    expect(rows[1].edits).toEqual([
      {
        start: 4,
        end: 9,
        before: 'wrold',
        after: 'world',
        probability: expect.any(Number),
        outputStart: 4,
        outputEnd: 9,
      },
    ]);
    expect(statistics.forwards).toBe(rows[0].statistics.forwards + rows[1].statistics.forwards);
    expect(statistics.speculation.accepted).toBeGreaterThan(0);
  });

  it('leaves doubtful edits alone, each by itself', async () => {
    const argv = ['--text', 'teh wrold', '--min-confidence', '0.7'];
    expect((await correct(argv)).stdout).toBe('The wrold.\n');
    const { rows } = JSON.parse((await correct([...argv, '--json'])).stdout);
    expect(rows[0].leftAlone).toMatchObject([{ before: 'wrold', after: 'world', reason: 'doubtful' }]);
    expect((await correct(['--text', 'teh wrold', '--min-confidence', '1'])).stdout).toBe('teh wrold\n');
  });

  it('shows a diff, in colours where the terminal has them', async () => {
    const argv = ['--diff', '--text', 'teh \x1b[2Jcat'];
    expect((await correct(argv)).stdout).toBe('[-teh-]{+The+} \ufffd[2Jcat{+.+}\n');
    const { stdout } = await correct(argv, { stdoutIsTerminal: true });
    expect(stdout).toBe('\x1b[31;9mteh\x1b[39;29m\x1b[32mThe\x1b[39m \ufffd[2Jcat\x1b[32m.\x1b[39m\n');
    expect((await correct([...argv, '--no-color'], { stdoutIsTerminal: true })).stdout).toContain('[-teh-]{+The+}');
  });

  it.each(['\n', '\r\n'])(
    'shows a sentence on several lines on as many, in a diff and on a terminal: %j',
    async (ending) => {
      const wide = 'The quick brown fox jumps over all of the dogs';
      const text = [wide, 'and teh cat', ''].join(ending);
      const folder = await mkdtemp(join(tmpdir(), 'correct-'));
      try {
        const path = join(folder, 'wrapped.txt');
        await writeFile(path, text);
        const expected = `${wide}${ending}and [-teh-]{+the+} cat{+.+}${ending}`;
        expect((await correct(['--file', path, '--diff'])).stdout).toBe(expected);
        const { stdout } = await correct(['--file', path], { stdoutIsTerminal: true });
        expect(stdout).toBe(text.replace('teh cat', 'the cat.'));
      } finally {
        await rm(folder, { recursive: true });
      }
      expect((await correct(['--diff', '--text', `teh\rcat${ending}teh dog`])).stdout).toBe(
        `[-teh-]{+The+}{+.+}\ufffd[-cat-]{+Cat+}{+.+}${ending}[-teh-]{+The+} dog{+.+}\n`,
      );
    },
  );

  it.each(['copy', 'ngram', 'none'])('drafts do not change it: %s', async (drafter) => {
    expect((await correct(['--drafter', drafter], { stdin: 'teh cat likes alot of wrold\n' })).stdout).toBe(
      'The cat likes a lot of world.\n',
    );
  });

  it.each([
    [['--min-confidence', '2', '--text', 'a'], 'min-confidence'],
    [['--min-confidence=-0.1', '--text', 'a'], '--min-confidence must be from 0 to 1'],
    [['--min-confidence', 'much', '--text', 'a'], 'min-confidence'],
    [['--drafter', 'oracle', '--text', 'a'], 'drafter'],
    [['--json', '--diff', '--text', 'a'], 'exclude each other'],
    [['--text', 'a', '--file', 'b'], 'exclude each other'],
    [['--drafter', 'copy-lattice', '--text', 'a'], 'needs a CTC model'],
    [['--drafter', 'copy-ctc', '--text', 'a'], 'lattice'],
    [['--strategy', 'ctc', '--drafter', 'copy', '--text', 'a'], 'leave --drafter out'],
    [['--strategy', 'beam', '--text', 'a'], 'strategy'],
    [[], 'nothing to correct'],
  ])('refuses %j', async (argv, message) => {
    const { code, stdout, stderr } = await correct(argv);
    expect(code).toBe(2);
    expect(argv.includes('--json') || stdout === '').toBe(true);
    expect(stderr).toContain(message);
  });

  it('refuses what is no UTF-8, after the lines that are', async () => {
    const bytes = [Buffer.from('teh cat\n'), Buffer.from([0x61, 0xff, 0x0a])];
    const { code, stdout, stderr } = await correct([], { stdin: Readable.from(bytes) });
    expect([code, stdout]).toEqual([2, 'The cat.\n']);
    expect(stderr).toContain('not UTF-8');
  });

  it('answers a line before the next one has arrived', async () => {
    const seen: string[] = [];
    const model = correctorModel((text) => {
      seen.push(text);
      return simpleCorrection(text);
    });
    const stdin = new Readable({ read() {} });
    stdin.push('teh cat\n');
    const done = correct([], { stdin, model });
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stdin.push('teh dog');
    stdin.push(null);
    expect((await done).stdout).toBe('The cat.\nThe dog.');
  });

  it('stops when it is interrupted', async () => {
    const controller = new AbortController();
    const stdin = new Readable({ read() {} });
    stdin.push('teh cat\n');
    const model = correctorModel((text) => {
      controller.abort();
      return text;
    });
    expect((await correct([], { stdin, model, signal: controller.signal })).code).toBe(130);
  });

  it('uses the model that corrects, and says so where it is not installed', async () => {
    const asked: unknown[] = [];
    await correct(['--text', 'a'], {
      services: {
        loadModel: async (folder) => {
          asked.push(folder);
          return correctorModel();
        },
      },
    });
    expect(asked).toEqual(['/models/correction']);
  });
});

describe('lines with their endings', () => {
  it('put together are the text, however it arrives', async () => {
    const text = fc.array(fc.constantFrom('a', '\r', '\n', '\r\n', '\ufeff', 'é', '\u{1F600}', '\u2028', 'bcd'), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        async (parts, size, limit) => {
          const bytes = Buffer.from(parts.join(''));
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
          let whole = '';
          let last = 0;
          const lengths = new Map<number, number>();
          const cuts = new Set<number>();
          for await (const { text, ending, cut, number } of rawLines(Readable.from(chunks), limit)) {
            whole += text + ending;
            expect(['', '\n', '\r\n']).toContain(ending);
            expect(text).not.toContain('\n');
            expect(number).toBeGreaterThanOrEqual(last);
            if (!cut) expect(text.length).toBeLessThanOrEqual(limit + 1);
            last = number;
            lengths.set(number, (lengths.get(number) ?? 0) + text.length);
            if (cut) cuts.add(number);
          }
          expect(whole).toBe(bytes.toString());
          for (const number of cuts) expect(lengths.get(number)).toBeGreaterThan(limit);
        },
      ),
      { seed: 41, numRuns: 300 },
    );
  });
});
