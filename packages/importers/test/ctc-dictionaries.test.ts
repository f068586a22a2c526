import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { FloatSource } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { readLabels } from '../src/adapters/ctc/labels.js';
import { importCtcModel } from '../src/index.js';
import { type CtcFixture, saying, writeCtcGraph } from './ctc-fixture.js';
import { fileOf, folder, imported, load, refusal } from './ctc-folders.js';

const EVERY = { space: undefined };

async function says(fixture: CtcFixture, options: Partial<CtcImportOptions>, ids: readonly number[]): Promise<string> {
  const { target } = await imported(fixture, { ...EVERY, ...options });
  await using model = await load(target);
  return (await model.decode(saying(ids), ctcGreedy<FloatSource>())).text;
}

let folders = 0;

/** A folder with these files, as the place of one of them. */
async function folderOf(files: Readonly<Record<string, string>>, file = 'vocab.json'): Promise<string> {
  const own = join(folder, `files-${folders++}`);
  await mkdir(own);
  for (const [name, content] of Object.entries(files)) await writeFile(join(own, name), content);
  return join(own, file);
}

/** What importing says of such a file, with a blank of class 0. */
async function refusedFile(content: string, classes: number, name = 'tokens.txt'): Promise<ForetokenError> {
  return refusal({ classes, blankId: 0 }, { ...EVERY, dictionary: await fileOf(name, content) });
}

describe('a dictionary that gives ids', () => {
  it('is read by them in any order, with blanks and tabs, before or behind the labels', async () => {
    const orders = [
      [0, 1, 2, 3, 4],
      [4, 2, 0, 3, 1],
    ];
    const labels = ['<blk>', 'a', ' ', 'b c', '▁'];
    for (const order of orders) {
      for (const line of [
        (id: number) => `${labels[id]} ${id}`,
        (id: number) => `${labels[id]}\t${id}`,
        (id: number) => `${id} ${labels[id]}`,
        (id: number) => `${id}\t${labels[id]}`,
      ]) {
        const dictionary = await fileOf('tokens.txt', `${order.map(line).join('\n')}\n\n`);
        const read = await readLabels({ dictionary }, null);
        expect(read, line(3)).toEqual({ labels, from: 'tokens.txt', numbered: true });
      }
    }
    const dictionary = await fileOf('tokens.txt', 'b 3\n  2\n<blk> 0\na 1\n');
    expect(await says({ classes: 4, blankId: 0 }, { dictionary }, [1, 2, 3, 1])).toBe('a ba');
  });

  it('puts the blank where it says, the last class too, as NeMo does', async () => {
    const dictionary = await fileOf('tokens.txt', '▁a 0\n<blk> 3\nb 1\n▁c 2\n');
    expect(await says({ classes: 4, blankId: 3 }, { dictionary }, [0, 1, 2])).toBe('ab c');
    const eps = await fileOf('eps.txt', 'b 2\n<eps> 0\na 1\n');
    expect(await says({ classes: 3, blankId: 0 }, { dictionary: eps }, [1, 2])).toBe('ab');
    const wrong = await refusal({ classes: 4, blankId: 0 }, { ...EVERY, dictionary });
    expect(wrong.message).toMatch(/"<blk>" is called like the blank, but class 3 is not the blank, since class 0/);
  });

  it('may leave out the blank alone, and no other id', async () => {
    const ones = await fileOf('tokens.txt', '<unk> 1\na 2\nb 3\n');
    expect(await says({ classes: 4, blankId: 0 }, { dictionary: ones }, [2, 3, 1])).toBe('ab');
    const json = await fileOf('vocab.json', JSON.stringify({ a: 0, b: 1 }));
    expect(await says({ classes: 3, blankId: 2 }, { dictionary: json }, [1, 0])).toBe('ba');
    expect(await says({ classes: 3, blankId: 2 }, { dictionary: json, blank: 2 }, [1, 0])).toBe('ba');
    for (const [content, classes, message] of [
      ['<blk> 0\na 1\nc 3\n', 4, /gives no label the id 2\. .*Only the blank may be left out/],
      ['a 1\nc 3\n', 4, /gives no label the id 0, 2\./],
      ['a 1\nb 2\n<blk> 3\n', 4, /gives no label the id 0\./],
      ['<blk> 0\na 1\n', 9, /gives no label the id 2, 3, 4, 5, 6 and 2 more\./],
      ['<blk> 0\na 1\nb 2\nc 4\n', 4, /gives ids up to 4, but classes are counted from 0 to 3/],
    ] as const) {
      const error = await refusedFile(content, classes);
      expect(error.message, content).toMatch(message);
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'dictionary', required: classes } });
    }
    const space = await fileOf('tokens.txt', '<blk> 0\na 1\nb 2\n');
    const told = await refusal({ classes: 3, blankId: 0 }, { dictionary: space, space: 'last' });
    expect(told.message).toMatch(/has a label for every class\. Leave space out/);
  });

  it('is refused with the number of the line that is wrong', async () => {
    for (const [content, line, message] of [
      ['<blk> 0\na 1\nb 1\n', 3, /gives the id 1, which line 2 has given already/],
      ['<blk> 0\na 1\na 2\n', 3, /gives another id to the label "a" of line 2/],
      ['<blk> 0\na 1\nb\nc 3\n', 3, /gives no id, but most lines end with one/],
      ['0 <blk>\n1 a\nb\n3 c\n', 3, /gives no id, but most lines begin with one/],
      ['<blk> 0\n\na 1\nb 2\n', 2, /gives no id/],
      ['<blk> 0\na 1\nb 99999999999999999999\n', 3, /but ids of at most 999999 are read/],
      ['<blk> 0\na  1\nb 2\n', 2, /more than one blank or tab between label and id.*Put one tab/],
      ['<blk>\t0\na\t\t1\nb\t2\n', 2, /more than one blank or tab/],
      ['<blk> 0\na\t 1\nb 2\n', 2, /more than one blank or tab/],
    ] as const) {
      const error = await refusedFile(content, 3);
      expect(error, content).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: `line ${line}` } });
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(new RegExp(`tokens\\.txt in .*: line ${line}, `));
    }
    const tabs = await fileOf('tokens.txt', '<blk>\t0\na \t1\nb\t2\n');
    expect(await says({ classes: 3, blankId: 0 }, { dictionary: tabs }, [1, 2])).toBe('a b');
  });

  it('is not a list of labels where only some end with a number', async () => {
    const dictionary = await fileOf('keys.txt', 'a\nb\n2 0\n');
    expect(await readLabels({ dictionary }, null)).toMatchObject({ labels: ['a', 'b', '2 0'], numbered: false });
    const digits = await fileOf('keys.txt', '0\n1\n2\n \n');
    expect(await readLabels({ dictionary: digits }, null)).toMatchObject({ labels: ['0', '1', '2', ' '] });
  });

  it('gives each label its own id or a typed error, whatever the lines are', async () => {
    const label = fc.stringMatching(/^[ab<>▁\t |0-9]{0,3}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(label, fc.nat(6)), { maxLength: 7 }), async (pairs) => {
        const dictionary = await fileOf('tokens.txt', pairs.map(([text, id]) => `${text} ${id}\n`).join(''));
        try {
          const { labels, numbered } = await readLabels({ dictionary }, null);
          if (!numbered) return;
          expect(labels.filter((one) => one !== undefined).length).toBe(pairs.length);
          for (const [text, id] of pairs) expect(labels[id]).toBe(text);
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
        }
      }),
      { seed: 15, numRuns: 200 },
    );
  });

  it('shows a space where a label is called so, and a bar where something else is the space', async () => {
    const named = ['<blank>', 'a', '<space>', 'b'];
    expect(await says({ classes: 4, blankId: 0 }, { dictionary: named }, [1, 2, 3, 2])).toBe('a b');
    const bar = await fileOf('tokens.txt', '<blk> 0\n▁a 1\n| 2\nb 3\n');
    expect(await says({ classes: 4, blankId: 0 }, { dictionary: bar }, [1, 2, 3])).toBe('a|b');
  });
});

describe('a vocab.json', () => {
  const vocabulary = JSON.stringify({ '|': 0, A: 1, B: 2, '[UNK]': 3, '[PAD]': 4 });

  it('has the tokens that were added in a file beside it, and none from beside a file of another name', async () => {
    const dictionary = await folderOf({ 'vocab.json': vocabulary, 'added_tokens.json': '{"</s>":6,"<s>":5}' });
    expect(await says({ classes: 7, blankId: 4 }, { dictionary }, [1, 0, 2, 5, 6, 3])).toBe('A B');
    const other = await folderOf(
      { 'labels.json': vocabulary, 'added_tokens.json': '{"</s>":6,"<s>":5}' },
      'labels.json',
    );
    expect((await refusal({ classes: 7, blankId: 4 }, { ...EVERY, dictionary: other })).message).toMatch(
      /lists 5 labels/,
    );
    for (const added of ['{"<s>":2}', '{"<s>":"5"}', '{"<s>":-5}', '{"a":5,"b":5}', '[5]', 'null', '{']) {
      const wrong = await folderOf({ 'vocab.json': vocabulary, 'added_tokens.json': added });
      expect(await refusal({ classes: 6, blankId: 4 }, { ...EVERY, dictionary: wrong }), added).toMatchObject({
        code: 'INVALID_MODEL_FOLDER',
        details: { file: 'added_tokens.json' },
      });
    }
  });

  it('is shown as its tokenizer_config.json says', async () => {
    const shown = async (config: object, told: Partial<CtcImportOptions> = {}) =>
      says(
        { classes: 5, blankId: 4 },
        {
          dictionary: await folderOf({ 'vocab.json': vocabulary, 'tokenizer_config.json': JSON.stringify(config) }),
          ...told,
        },
        [1, 0, 2, -1, 0],
      );
    expect(await shown({ word_delimiter_token: '|' })).toBe('A B');
    expect(await shown({ do_lower_case: true })).toBe('a b');
    expect(await shown({ word_delimiter_token: 'A', do_lower_case: true })).toBe('|b|');
    expect(await shown({ word_delimiter_token: null })).toBe('A|B|');
    expect(await shown({ tokenizer_class: 'Wav2Vec2PhonemeCTCTokenizer' })).toBe('A | B |');
    const phonemes = { tokenizer_class: 'Wav2Vec2PhonemeCTCTokenizer', phone_delimiter_token: '-' };
    expect(await shown(phonemes)).toBe('A-|-B-|');
    expect(await shown(phonemes, { joiner: '', wordBoundary: '|' })).toBe('A B');
  });
});

describe('a dictionary of several languages', () => {
  const languages = {
    eng: { '<pad>': 0, '|': 1, a: 2, b: 3 },
    deu: { '<pad>': 0, '|': 1, b: 2, ä: 3 },
    'uzb-script_latin': { '<pad>': 0, '|': 1, a: 2 },
  };

  it('is read in the language that is told', async () => {
    const dictionary = await fileOf('vocab.json', JSON.stringify(languages));
    for (const [language, text] of [
      ['eng', 'a b'],
      ['deu', 'b ä'],
    ] as const) {
      expect(await says({ classes: 4, blankId: 0 }, { dictionary, language }, [2, 1, 3, 1])).toBe(text);
    }
    const one = await fileOf('vocab.json', JSON.stringify({ eng: languages.eng }));
    expect(await says({ classes: 4, blankId: 0 }, { dictionary: one }, [2, 3])).toBe('ab');
  });

  it('is refused before any compute without one, and the error names those that fit', async () => {
    const dictionary = await fileOf('vocab.json', JSON.stringify(languages));
    const fixture = { classes: 4, blankId: 0, spoilt: { by: Number.NaN } };
    for (const [language, message] of [
      [undefined, /3 languages, and the one that the graph was exported for must be told, such as language: "eng"/],
      ['fra', /"fra" is none of them/],
      ['__proto__', /"__proto__" is none of them/],
    ] as const) {
      const error = await refusal(fixture, { ...EVERY, dictionary, language });
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/as many labels as the graph has classes, 4, are "eng", "deu"\.$/);
      expect(error).toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { option: 'language', required: ['eng', 'deu'] },
      });
    }
    const other = await refusal({ classes: 4, blankId: 0 }, { ...EVERY, dictionary, language: 'uzb-script_latin' });
    expect(other.message).toMatch(/lists 3 labels and the graph has 4 classes/);
    const none = await refusal({ classes: 7, blankId: 0 }, { ...EVERY, dictionary });
    expect(none.message).toMatch(/they are "eng", "deu", "uzb-script_latin"\.$/);
    const many = Object.fromEntries(Array.from({ length: 1162 }, (_, at) => [`l${at}`, { a: 0 }]));
    const long = await refusedFile(JSON.stringify(many), 4, 'vocab.json');
    expect(long.message).toMatch(/1162 languages.* and 1138 more\.$/);
  });

  it('is the only one that takes a language', async () => {
    const graph = await writeCtcGraph(folder, { classes: 4, blankId: 0 });
    const whole = ['<pad>', '|', 'a', 'b'];
    for (const dictionary of [
      whole,
      await fileOf('keys.txt', whole.join('\n')),
      await fileOf('vocab.json', JSON.stringify(languages.eng)),
    ]) {
      const importing = importCtcModel(graph, `${folder}/never`, { dictionary, language: 'eng' });
      await expect(importing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'language' } });
    }
  });
});
