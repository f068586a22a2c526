import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenizer, type TextTokenizer } from '../src/tokenizer/text-tokenizer.js';
import { refusal } from './folder-fixtures.js';
import { edited, TINY_VOCABULARY, tinyTokenizer } from './tokenizer-fixtures.js';

const create = (file: unknown = tinyTokenizer(), sourceLength = 16): Promise<TextTokenizer> =>
  createTokenizer(JSON.stringify(file), { vocabulary: TINY_VOCABULARY, sourceLength });

const spelled = (tokenizer: TextTokenizer, text: string): string[] =>
  [...tokenizer.encode(text)].map((tokenId) => tokenizer.tokenText(tokenId));

describe('encoding', () => {
  test('applies merges by rank and puts the end token last', async () => {
    const tokenizer = await create();
    // "i n" comes before "▁li n", so "lin" is "▁l" + "in" only where nothing joins them.
    expect(spelled(tokenizer, 'a stein')).toEqual(['▁a', '▁st', 'e', 'in', '</s>']);
    expect(tokenizer.encode('a.')).toEqual(Int32Array.of(22, 20, 2));
    expect(spelled(tokenizer, 'ab  e')).toEqual(['▁a', 'b', '▁', 'e', '</s>']);
  });

  test('adds the end token where the file has no post-processor, and not twice where it has', async () => {
    expect(spelled(await create(edited('post_processor', null)), 'a.')).toEqual(['▁a', '.', '</s>']);
    expect(spelled(await create(), 'a.').filter((token) => token === '</s>')).toHaveLength(1);
  });

  test('adds no end token where the vocabulary has none', async () => {
    const { endTokenId: _, ...vocabulary } = TINY_VOCABULARY;
    const endless = await createTokenizer(JSON.stringify(edited('post_processor', null)), {
      vocabulary,
      sourceLength: 4,
    });
    expect(spelled(endless, 'a.')).toEqual(['▁a', '.']);
    expect(endless.decode(endless.encode('a.'))).toBe('a.');
    // All four positions are for the text.
    expect(endless.encode('a.a.')).toHaveLength(4);
  });

  test('normalises, so equal texts in other code points get equal ids', async () => {
    const tokenizer = await create();
    expect(tokenizer.encode('ｓｔ')).toEqual(tokenizer.encode('st'));
  });

  test('a run of unknown characters is one unknown token, and is counted', async () => {
    const tokenizer = await create();
    expect(spelled(tokenizer, 'a☃☃ b')).toEqual(['▁a', '<unk>', '▁', 'b', '</s>']);
    expect(tokenizer.countUnknown(tokenizer.encode('a☃☃ ☃'))).toBe(2);
    expect(tokenizer.countUnknown(tokenizer.encode('a b'))).toBe(0);
    expect(tokenizer.countUnknown([])).toBe(0);
  });

  test.each(['', ' ', '\n\t \u00a0\u3000'])('%j is an empty source', async (text) => {
    expect(await refusal(async () => (await create()).encode(text))).toMatchObject({ code: 'EMPTY_SOURCE' });
  });

  test('text of which normalising leaves nothing is an empty source', async () => {
    const file = edited('normalizer.normalizers.1', { type: 'Replace', pattern: { String: 'x' }, content: '' });
    expect(await refusal(async () => (await create(file)).encode('xx'))).toMatchObject({ code: 'EMPTY_SOURCE' });
  });

  test('a source fills the limit exactly or is refused whole', async () => {
    const tokenizer = await create(tinyTokenizer(), 5);
    expect(tokenizer.encode('abcd')).toHaveLength(5);
    const error = await refusal(() => tokenizer.encode('abcde'));
    expect(error).toMatchObject({ code: 'SOURCE_TOO_LONG', details: { received: 6, max: 5, unit: 'tokens' } });
    expect(error.message).toContain('6 tokens');
  });

  test('a text of any length is refused before it is tokenised', async () => {
    const tokenizer = await create();
    const max = 16 * 32;
    // Unknown characters fuse, so this many are within both limits, and one more is not.
    expect(tokenizer.encode('☃'.repeat(max))).toHaveLength(3);
    for (const text of ['☃'.repeat(max + 1), 'a'.repeat(50_000_000)]) {
      expect(await refusal(() => tokenizer.encode(text))).toMatchObject({
        code: 'SOURCE_TOO_LONG',
        details: { received: text.length, max, unit: 'characters' },
      });
    }
  });

  test('counts the end token in its length, also where the file does not add one', async () => {
    for (const file of [tinyTokenizer(), edited('post_processor', null)]) {
      expect((await create(file, 5)).encode('abcd')).toHaveLength(5);
      expect(await refusal(async () => (await create(file, 4)).encode('abcd'))).toMatchObject({
        code: 'SOURCE_TOO_LONG',
        details: { received: 5, max: 4, unit: 'tokens' },
      });
    }
  });

  test('what is no text is refused', async () => {
    for (const bad of [undefined, null, 7, ['a']]) {
      expect((await refusal(async () => (await create()).encode(bad as unknown as string))).code).toBe(
        'INVALID_ARGUMENT',
      );
    }
  });

  test('any text gives ids inside the vocabulary that end once, or a typed refusal', async () => {
    const tokenizer = await create();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        let ids: Int32Array;
        try {
          ids = tokenizer.encode(text);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(EMPTY_SOURCE|SOURCE_TOO_LONG)$/) });
          return;
        }
        expect(ids.every((id) => id >= 0 && id < TINY_VOCABULARY.size)).toBe(true);
        expect(ids.indexOf(TINY_VOCABULARY.endTokenId)).toBe(ids.length - 1);
      }),
    );
  });
});

describe('decoding', () => {
  test('gives the text back, special tokens left out', async () => {
    const tokenizer = await create();
    const long = await create(tinyTokenizer(), 64);
    const words = fc.array(fc.constantFrom('a', 'stein', 'line', 'lines', 'heiß', 'in', 'der', 'bist'), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(words, fc.constantFrom('', '.', ',', ' .', " 's"), (list, end) => {
        const text = list.join(' ') + (end.includes("'") ? '' : end);
        expect(tokenizer.decode(long.encode(text))).toBe(text);
      }),
    );
    expect(tokenizer.decode([0, 30, 22, 20, 2, 0])).toBe('a.');
  });

  test('nothing, or only special tokens, is the empty text', async () => {
    const tokenizer = await create();
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode(new Int32Array(0))).toBe('');
    expect(tokenizer.decode(Int32Array.of(0, 2, 30))).toBe('');
  });

  test('the end and pad tokens are left out even where the file does not mark them special', async () => {
    const file = edited('added_tokens', []);
    expect((await create(file)).decode([22, 0, 2])).toBe('a');
  });

  test('an id without a token is empty text; one outside the vocabulary is refused', async () => {
    const vocabulary = { ...TINY_VOCABULARY, size: 40 };
    const tokenizer = await createTokenizer(JSON.stringify(tinyTokenizer()), { vocabulary, sourceLength: 8 });
    expect(tokenizer.tokenText(35)).toBe('');
    expect(tokenizer.decode([22, 35, 20])).toBe('a.');
    for (const bad of [-1, 40, 1.5, Number.NaN]) {
      expect((await refusal(() => tokenizer.decode([22, bad]))).code).toBe('INVALID_ARGUMENT');
      expect((await refusal(() => tokenizer.tokenText(bad))).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('other kinds of tokenizer', () => {
  test('Unigram', async () => {
    const pieces: [string, number][] = [
      ['<pad>', 0],
      ['<unk>', 0],
      ['</s>', 0],
      ['▁', -3],
      ['a', -3],
      ['b', -3],
      ['▁a', -2],
      ['ab', -2.5],
      ['▁ab', -1],
    ];
    const tokenizer = await createTokenizer(
      JSON.stringify({ ...edited('model', { type: 'Unigram', unk_id: 1, vocab: pieces }), added_tokens: [] }),
      { vocabulary: { ...TINY_VOCABULARY, size: 9 }, sourceLength: 16 },
    );
    expect(spelled(tokenizer, 'ab b')).toEqual(['▁ab', '▁', 'b', '</s>']);
    expect(tokenizer.decode(tokenizer.encode('ab b'))).toBe('ab b');
    expect(tokenizer.countUnknown(tokenizer.encode('x'))).toBe(1);
  });

  test('byte-level with the GPT-2 expression', async () => {
    const vocab = Object.fromEntries([...'?!<abĠ'].map((piece, id) => [piece, id]));
    const tokenizer = await createTokenizer(
      JSON.stringify({
        ...tinyTokenizer(),
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            {
              type: 'Split',
              pattern: {
                Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
              },
              behavior: 'Isolated',
              invert: false,
            },
            { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
          ],
        },
        post_processor: null,
        decoder: { type: 'ByteLevel' },
        model: { type: 'BPE', vocab, merges: [] },
      }),
      { vocabulary: { size: 6, endTokenId: 2 }, sourceLength: 16 },
    );
    expect(spelled(tokenizer, 'ab a!')).toEqual(['a', 'b', 'Ġ', 'a', '!', '<']);
    expect(tokenizer.decode(tokenizer.encode('ab a!'))).toBe('ab a!');
  });
});

// Cut by the library's Unigram model, which hands lists of characters on as so many arguments.
test.each(['1', 'ß', 'x '])('a long text of %j is too long, and no fault of the folder', async (text) => {
  const file = new URL('goldens/encoder-decoder/t5/tokenizer.json', import.meta.url);
  const vocabulary = { size: 46, padTokenId: 0, endTokenId: 1, unknownTokenId: 2 };
  const tokenizer = await createTokenizer(await readFile(file, 'utf8'), { vocabulary, sourceLength: 65_536 });
  const error = await refusal(() => tokenizer.encode(text.repeat(1_000_000 / text.length)));
  expect(error).toMatchObject({ code: 'SOURCE_TOO_LONG', message: expect.stringContaining('Split it') });
});
