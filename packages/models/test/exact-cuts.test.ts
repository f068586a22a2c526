import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { exactCuts, type Settings } from '../src/tokenizer/exact-cuts.js';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';
import { refusal } from './folder-fixtures.js';
import { edited, TINY_VOCABULARY, tinyTokenizer } from './tokenizer-fixtures.js';

/** Written by apps/distill/make_cut_goldens.py with the package `tokenizers`. */
interface Goldens {
  readonly texts: readonly string[];
  readonly rows: readonly { readonly settings: Settings; readonly pieces: readonly (readonly string[])[] }[];
  readonly decoded: {
    readonly json: string;
    readonly rows: readonly { readonly ids: readonly number[]; readonly text: string }[];
  };
}

const GOLDENS = JSON.parse(await readFile(new URL('goldens/cuts.json', import.meta.url), 'utf8')) as Goldens;
const cases = GOLDENS.rows.map(({ settings, pieces }) => [JSON.stringify(settings), settings, pieces] as const);
const options = { vocabulary: TINY_VOCABULARY, sourceLength: 64 };

describe('texts are cut as the original cuts them', () => {
  it.each(cases)('%s', (_, settings, pieces) => {
    const cut = exactCuts(settings);
    for (const [index, text] of GOLDENS.texts.entries()) {
      expect(cut(text, { section_index: 0 }), JSON.stringify(text)).toEqual(pieces[index]);
    }
  });

  it('a part of a text, with what the parts before it were', () => {
    const cut = exactCuts({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true });
    expect(cut('a b', { section_index: 1 })).toEqual(['a', '▁b']);
    expect(cut(['a b', 'c'], { section_index: 0 })).toEqual(['▁a', '▁b', 'c']);
  });
});

it('a tokenizer cuts so too: letters, digits and blanks are those of Unicode', async () => {
  const letters = Object.fromEntries([...'?!<é日٣½ a\ufeff'].map((piece, id) => [piece, id]));
  const file = {
    ...tinyTokenizer(),
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordPiece', unk_token: '?', continuing_subword_prefix: '', vocab: letters },
  };
  const vocabulary = { size: 10, endTokenId: 2 };
  const tokenizer = await createTokenizer(JSON.stringify(file), { vocabulary, sourceLength: 16 });
  expect([...tokenizer.encode('é日 ½\ufeff', 'part')]).toEqual([3, 4, 6, 9]);
});

it('a first blank that belongs to the text is given back', async () => {
  const { json, rows } = GOLDENS.decoded;
  const tokenizer = await createTokenizer(json, { vocabulary: { size: 3 } as never, sourceLength: 16 });
  for (const { ids, text } of rows) expect(tokenizer.decode(ids)).toBe(text);
});

it.each([
  ['added_tokens.0.single_word', true, 'added_tokens[0].single_word'],
  ['model.continuing_subword_prefix', '##', 'model.continuing_subword_prefix'],
])('%s = %j is refused, since it would be left out', async (path, value, field) => {
  const file = edited(path, value);
  for (const space of [0, 2]) {
    const error = await refusal(() => createTokenizer(JSON.stringify(file, undefined, space), options));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field, file: 'tokenizer.json' } });
  }
});
