import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPieceTokenizer } from '../src/tokenizer/piece-tokenizer.js';
import { createSymbolTokenizer } from '../src/tokenizer/symbol-tokenizer.js';
import type { TextTokenizer } from '../src/tokenizer/text-tokenizer.js';
import { createTokenizer } from '../src/tokenizer/text-tokenizer.js';

const GOLDENS = new URL('./goldens/', import.meta.url);
const SHIPPED = new URL('../../model-multi30k-en-de/model/', import.meta.url);

async function shipped(): Promise<TextTokenizer> {
  const { vocabulary, tokenizer } = JSON.parse(readFileSync(new URL('foretoken.json', SHIPPED), 'utf8'));
  return createTokenizer(readFileSync(new URL(tokenizer, SHIPPED), 'utf8'), { vocabulary, sourceLength: 512 });
}

function pieces(): TextTokenizer {
  const content = readFileSync(new URL('marian-tokenizer.json', GOLDENS), 'utf8');
  const { vocabulary } = JSON.parse(content) as { readonly vocabulary: Readonly<Record<string, number>> };
  const size = Object.keys(vocabulary).length;
  return createPieceTokenizer(
    {
      source: { file: 'source.spm', content: readFileSync(new URL('sentencepiece/unigram.spm', GOLDENS)) },
      target: { file: 'target.spm', content: readFileSync(new URL('sentencepiece/bpe.spm', GOLDENS)) },
      vocabulary: { file: 'vocab.json', content: JSON.stringify(vocabulary) },
    },
    { vocabulary: { size, endTokenId: 0, unknownTokenId: 1, padTokenId: size - 1 }, sourceLength: 512 },
  );
}

function symbols(): TextTokenizer {
  const json = JSON.stringify({
    target: ['<s>', '</s>', '?', 'a', 'b', ' '],
    startTokenId: 0,
    endTokenId: 1,
    unknownTokenId: 2,
  });
  return createSymbolTokenizer(json, {
    vocabulary: { size: 6, endTokenId: 1 },
    sourceLength: 512,
    file: 'symbols.json',
  });
}

describe.each(Object.entries({ 'tokenizer.json': shipped, 'SentencePiece models': pieces, symbols }))(
  'a tokenizer of %s',
  (_, make) => {
    it('encodes a text as what it is to be, and refuses what it cannot be', async () => {
      const tokenizer = await make();
      const [source, prompt, part] = (['source', 'prompt', 'part'] as const).map((use) => [
        ...tokenizer.encode('a b', use),
      ]);
      expect([...tokenizer.encode('a b')]).toEqual(source);
      expect(source.slice(0, prompt.length)).toEqual(prompt);
      expect(` ${prompt.join(' ')} `).toContain(` ${part.join(' ')} `);
      for (const wrong of ['surce', 'Source', '', 5, null, {}]) {
        expect(() => tokenizer.encode('a b', wrong as never)).toThrow(
          /use must be source or prompt or part or output, but was/,
        );
      }
    });
  },
);

it('outputs are cut and numbered as the target’s, without an end token', async () => {
  const tokenizer = pieces();
  const text = 'A man rides a horse.';
  expect(tokenizer.decode(tokenizer.encode(text, 'output'))).toBe(text);
  expect([...tokenizer.encode(text, 'output')]).not.toEqual([...tokenizer.encode(text, 'part')]);
  const json = JSON.stringify({ source: ['x', 'y'], target: ['</s>', '?', 'Y', 'x'], endTokenId: 0, lowercase: true });
  const symbols = createSymbolTokenizer(json, {
    vocabulary: { size: 4, endTokenId: 0 },
    sourceLength: 8,
    file: 'symbols.json',
  });
  expect([...symbols.encode('XY', 'part')]).toEqual([0, 1]);
  expect([...symbols.encode('xY', 'output')]).toEqual([3, 2]);
  const own = await shipped();
  expect([...own.encode('Ein Hund.', 'output')]).toEqual([...own.encode('Ein Hund.').slice(0, -1)]);
});

it('a list of symbols puts its own around a source, and none around a part', () => {
  const tokenizer = symbols();
  expect([...tokenizer.encode('a b')]).toEqual([0, 3, 5, 4, 1]);
  expect([...tokenizer.encode('a b', 'prompt')]).toEqual([0, 3, 5, 4]);
  expect([...tokenizer.encode('a b', 'part')]).toEqual([3, 5, 4]);
});

it('a symbols file with a field that is not known is refused, and what is known is named', () => {
  const options = { vocabulary: { size: 2, endTokenId: 1 }, sourceLength: 512, file: 'symbols.json' };
  const content = { target: ['a', '</s>'], endTokenId: 1 };
  expect(() => createSymbolTokenizer(JSON.stringify(content), options)).not.toThrow();
  expect(() => createSymbolTokenizer(JSON.stringify({ ...content, unknownId: 1 }), options)).toThrow(
    expect.objectContaining({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(/there is no field "unknownId", only .*unknownTokenId/),
    }),
  );
});
