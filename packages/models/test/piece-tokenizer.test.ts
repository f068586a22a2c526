import { readFileSync } from 'node:fs';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { createPieceTokenizer } from '../src/tokenizer/piece-tokenizer.js';
import { readPieceTokens } from '../src/tokenizer/piece-vocabulary.js';

const GOLDENS = new URL('./goldens/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('marian-tokenizer.json', GOLDENS), 'utf8')) as {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly encoded: readonly { text: string; ids: number[] }[];
  readonly decoded: readonly { ids: number[]; text: string }[];
};
const size = Object.keys(golden.vocabulary).length;
const files = {
  source: { file: 'source.spm', content: readFileSync(new URL('sentencepiece/unigram.spm', GOLDENS)) },
  target: { file: 'target.spm', content: readFileSync(new URL('sentencepiece/bpe.spm', GOLDENS)) },
  vocabulary: { file: 'vocab.json', content: JSON.stringify(golden.vocabulary) },
};
const vocabulary = { size, endTokenId: 0, unknownTokenId: 1, padTokenId: size - 1 };
const tokenizer = createPieceTokenizer(files, { vocabulary, sourceLength: 512 });

const thrown = (run: () => unknown): ForetokenError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ForetokenError) return error;
    throw error;
  }
  throw new Error('It did not throw.');
};

describe('a tokenizer of SentencePiece models', () => {
  it.each(golden.encoded)('gives the ids of the original tokenizer for $text', ({ text, ids }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
  });

  it('reads one language code before a text, and refuses one that the model does not have', () => {
    const fra = golden.vocabulary['>>fra<<'];
    expect(tokenizer.encode(' >>fra<< A girl.')[0]).toBe(fra);
    const error = thrown(() => tokenizer.encode('>>xyz<< A girl.'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: ['>>fra<<', '>>deu<<'] } });
    // Where the vocabulary has none, it is text like any other.
    const plain = Object.fromEntries(Object.entries(golden.vocabulary).filter(([piece]) => !piece.startsWith('>>')));
    const named = { file: 'vocab.json', content: JSON.stringify(plain) };
    const other = createPieceTokenizer({ ...files, vocabulary: named }, { vocabulary, sourceLength: 512 });
    expect(other.encode('>>xyz<< A girl.').length).toBeGreaterThan(5);
  });

  it('gives the texts of the original tokenizer for two hundred rows of tokens', () => {
    for (const { ids, text } of golden.decoded) expect([ids, tokenizer.decode(ids)]).toEqual([ids, text]);
  });

  it('counts unknown tokens and names tokens', () => {
    expect(tokenizer.countUnknown(tokenizer.encode('A man \u4f60\u597d.'))).toBe(1);
    expect(tokenizer.tokenText(size - 1)).toBe('<pad>');
    expect(readPieceTokens(files.vocabulary, size)).toMatchObject({ unknown: 1, pad: size - 1 });
  });

  it('refuses blank texts, texts that are too long, and what is no text', () => {
    expect(thrown(() => tokenizer.encode('  ')).code).toBe('EMPTY_SOURCE');
    // The rules of this vocabulary make nothing of it.
    expect(thrown(() => tokenizer.encode('\u200b')).code).toBe('EMPTY_SOURCE');
    expect(thrown(() => tokenizer.encode('a man '.repeat(400))).code).toBe('SOURCE_TOO_LONG');
    expect(thrown(() => tokenizer.encode(7 as unknown as string)).code).toBe('INVALID_ARGUMENT');
    expect(thrown(() => tokenizer.decode([size])).code).toBe('INVALID_ARGUMENT');
  });

  it.each([
    ['a list', '[]'],
    ['an id outside the model', JSON.stringify({ ...golden.vocabulary, more: size })],
    ['an id that is no integer', JSON.stringify({ ...golden.vocabulary, '<unk>': '1' })],
    ['no unknown token', JSON.stringify({ '</s>': 0 })],
    ['an id twice', JSON.stringify({ ...golden.vocabulary, more: 5 })],
    ['another unknown token than the model', JSON.stringify({ ...golden.vocabulary, '<unk>': 3 })],
    ['few of the pieces', JSON.stringify({ '</s>': 0, '<unk>': 1, a: 2 })],
    ['an HTML page', '<!doctype html>'],
  ])('refuses a vocabulary with %s', (_, content) => {
    const broken = { ...files, vocabulary: { file: 'vocab.json', content } };
    const error = thrown(() => createPieceTokenizer(broken, { vocabulary, sourceLength: 512 }));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('vocab.json');
  });
});
