import { ForetokenError } from '@foretoken/core';
import { textProcessor } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { records } from './json-lines.js';
import { cli, fakeModel } from './support.js';

describe('what a model says that a reader would obey', () => {
  /** A model whose word for \"dog\" is this. */
  const saying = (word: string) => {
    const model = fakeModel();
    const decode = (tokenIds: Int32Array) => model.tokenizer.decode(tokenIds).replaceAll('Hund', word);
    const tokenizer = { ...model.tokenizer, decode };
    return { ...model, tokenizer, processor: textProcessor(tokenizer) };
  };
  const BREAKS = ['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029', '\n\n'];

  it.each(BREAKS)('%j is a space in plain output: one line in, one line out', async (lineBreak) => {
    const space = lineBreak === '\n\n' ? '  ' : ' ';
    for (const stdoutIsTerminal of [false, true]) {
      const { stdout } = await cli(['decode'], {
        stdin: 'a dog runs\na man\n',
        model: saying(`Hu${lineBreak}nd`),
        stdoutIsTerminal,
      });
      expect(stdout).toBe(`ein Hu${space}nd läuft\nein Mann\n`);
    }
  });

  it.each(BREAKS)('%j is kept in JSON, escaped', async (lineBreak) => {
    for (const format of ['--json', '--jsonl']) {
      const { stdout } = await cli(['decode', format, '--text', 'a dog'], { model: saying(`Hu${lineBreak}nd`) });
      const all = records(stdout);
      const row = format === '--json' ? all[0].rows[0] : all.at(-1);
      expect(row.text).toBe(`ein Hu${lineBreak}nd`);
    }
  });

  it.each(['\x1b[2J', '\x07', '\x7f', '\u009b2J', '\u0090', '\u202e', '\u2066', '\u200f', '\u061c', '\x00'])(
    '%j is not shown on a terminal, while a line grows and at its end, and not in JSON',
    async (code) => {
      const unsafe = /[^\P{Cc}\n]|\p{Bidi_Control}/u;
      const model = saying(`H${code}und`);
      const { stdout } = await cli(['decode', '--text', 'a dog runs'], { model, stdoutIsTerminal: true });
      expect(stdout).toBe(`ein H${code.replace(/^./su, '\ufffd')}und läuft\n`);
      for (const format of ['--json', '--jsonl']) {
        const json = (await cli(['decode', format, '--text', 'a dog'], { model })).stdout;
        expect(json).not.toMatch(unsafe);
        expect(json).toContain('\\u');
        expect(
          records(json)
            .flatMap(({ rows, text }) => rows ?? [{ text }])
            .at(-1).text,
        ).toBe(`ein H${code}und`);
      }
      // What comes at the end only, because it changes how the token before it reads, is made safe as well.
      const late = fakeModel();
      const decode = (ids: Int32Array) => (ids.length < 3 ? 'ein' : `x${code}`);
      const end = await cli(['decode', '--text', 'a dog runs'], {
        model: { ...late, processor: textProcessor({ ...late.tokenizer, decode }) },
        stdoutIsTerminal: true,
      });
      expect(end.stdout).not.toMatch(unsafe);
    },
  );

  it('is not shown in a message about a line either', async () => {
    const model = fakeModel();
    const encode = () => {
      throw new ForetokenError('SOURCE_TOO_LONG', 'too\x1b[2J\u009blong\nby far');
    };
    const { stderr } = await cli(['decode'], {
      stdin: 'a\n',
      model: { ...model, processor: { ...model.processor, read: encode } },
    });
    expect(stderr).toBe('error SOURCE_TOO_LONG: Line 1: too\ufffd[2J\ufffdlong by far\n');
  });
});
