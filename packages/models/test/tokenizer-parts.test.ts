import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';

/** Written by apps/distill/make_tokenizer_part_goldens.py with the package `tokenizers`; its `--texts` writes more than is committed. */
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

const FILE = process.env.TOKENIZER_PARTS ?? new URL('goldens/tokenizer-parts.json', import.meta.url);
const { texts, outputs, encoded, decoded } = JSON.parse(await readFile(FILE, 'utf8')) as Goldens;

const open = (json: File) => {
  const size = Object.keys(json.model.vocab).length + json.added_tokens.length;
  return createTokenizer(JSON.stringify(json), { vocabulary: { size }, sourceLength: 64 });
};

describe('texts become the tokens of the original', () => {
  it.each(encoded.map(({ json, ids }) => [JSON.stringify([json.normalizer, json.added_tokens]), json, ids] as const))(
    '%s',
    async (_, json, ids) => {
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
  it.each(decoded.map((row) => [JSON.stringify([row.json.decoder, row.json.model.end_of_word_suffix]), row] as const))(
    '%s',
    async (_, { json, texts: joined }) => {
      const tokenizer = await open(json);
      for (const [index, ids] of outputs.entries()) {
        expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(joined[index]);
      }
    },
  );
});
