import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';

/** Written by apps/distill/make_tokenizer_{part,sign}_goldens.py with the package `tokenizers`; their `--texts` writes more than is committed. */
interface Goldens {
  readonly texts: readonly string[];
  readonly outputs: readonly (readonly number[])[];
  readonly encoded: readonly { readonly json: File; readonly ids: readonly (readonly number[])[] }[];
  readonly decoded: readonly { readonly json: File; readonly texts: readonly string[] }[];
}

interface File {
  readonly normalizer: unknown;
  readonly decoder: unknown;
  readonly added_tokens: readonly { readonly id: number }[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly end_of_word_suffix: string | null };
}

const FILES = process.env.TOKENIZER_PARTS?.split(',') ?? [
  new URL('goldens/tokenizer-parts.json', import.meta.url),
  new URL('goldens/tokenizer-signs.json', import.meta.url),
];
const GOLDENS = await Promise.all(FILES.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Goldens));
const ENCODED = GOLDENS.flatMap(({ texts, encoded }) => encoded.map(({ json, ids }) => ({ json, ids, texts })));
const DECODED = GOLDENS.flatMap(({ outputs, decoded }) => decoded.map(({ json, texts }) => ({ json, texts, outputs })));

const open = (json: File) => {
  const size = Object.keys(json.model.vocab).length + json.added_tokens.length;
  return createTokenizer(JSON.stringify(json), { vocabulary: { size }, sourceLength: 64 });
};

describe('texts become the tokens of the original', () => {
  it.each(ENCODED.map((row) => [JSON.stringify([row.json.normalizer, row.json.added_tokens]), row] as const))(
    '%s',
    async (_, { json, ids, texts }) => {
      const tokenizer = await open(json);
      for (const [index, text] of texts.entries()) {
        const isEmpty = text.trim() === '' || ids[index].length === 0;
        const given = () => [...tokenizer.encode(text, 'part')];
        if (isEmpty) expect(given, JSON.stringify(text)).toThrow(expect.objectContaining({ code: 'EMPTY_SOURCE' }));
        else expect(given(), JSON.stringify(text)).toEqual(ids[index]);
      }
    },
  );
});

describe('tokens are joined and cleaned up as by the original', () => {
  it.each(DECODED.map((row) => [JSON.stringify([row.json.decoder, row.json.model.end_of_word_suffix]), row] as const))(
    '%s',
    async (_, { json, texts: joined, outputs }) => {
      const tokenizer = await open(json);
      for (const [index, ids] of outputs.entries()) {
        expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(joined[index]);
      }
    },
  );
});

it('bytes of which some are no tokens are refused, where others can be unknown', async () => {
  const vocab = Object.fromEntries(['a', '<unk>', '<0xE6>', '<0x97>'].map((token, id) => [token, id]));
  const model = { type: 'BPE', vocab, merges: [], unk_token: '<unk>', byte_fallback: true };
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const made = createTokenizer(JSON.stringify({ ...parts, model }), { vocabulary: { size: 4 }, sourceLength: 64 });
  await expect(made).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'model.byte_fallback' } });
});
