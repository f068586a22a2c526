import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { SentencePiece } from '../src/tokenizer/sentencepiece/sentence-piece.js';

const GOLDENS = new URL('./goldens/sentencepiece/', import.meta.url);
const LINES = readFileSync(new URL('../../../apps/bench/data/test_2016_flickr.en', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

interface Golden {
  readonly hard: readonly { text: string; pieces: string[]; ids: number[]; decoded: string }[];
  readonly decodes: readonly { pieces: string[]; text: string }[];
  readonly lines: number;
  readonly sha256: string;
}

/** The texts of the script that wrote the goldens: committed lines, then random characters of a committed generator. */
function* texts(count: number): Generator<string> {
  yield* LINES;
  const alphabet = [...'abcdefghijk \u2581\u00e9\u00df\u4f60\u{1f600}\u3000\u00a0\t0123.,<>/\u0301\ufb01'];
  let state = 7;
  const draw = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff;
    return state >> 8;
  };
  for (let made = LINES.length; made < count; made++) {
    const length = draw() % 41;
    yield Array.from({ length }, () => alphabet[draw() % alphabet.length]).join('');
  }
}

describe.each(
  readdirSync(GOLDENS)
    .filter((name) => name.endsWith('.spm'))
    .map((name) => name.slice(0, -4)),
)('the vocabulary %s', (name) => {
  const bytes = readFileSync(new URL(`${name}.spm`, GOLDENS));
  const golden = JSON.parse(readFileSync(new URL(`${name}.json`, GOLDENS), 'utf8')) as Golden;
  const vocabulary = new SentencePiece(bytes, `${name}.spm`);

  it('cuts hard texts into the pieces of the original library', () => {
    for (const { text, pieces, ids } of golden.hard) {
      const cut = vocabulary.encode(text);
      expect([text, cut.map((piece) => piece.text)]).toEqual([text, pieces]);
      expect([text, cut.map((piece) => piece.id)]).toEqual([text, ids]);
    }
  });

  it('reads pieces as the original library does, bytes that are no characters too', () => {
    for (const { pieces, text } of golden.decodes) expect([pieces, vocabulary.decode(pieces)]).toEqual([pieces, text]);
    for (const { ids, decoded } of golden.hard) {
      expect(vocabulary.decode(ids.map((id) => vocabulary.model.pieces[id]))).toBe(decoded);
    }
  });

  it('gives the ids and texts of the original library on ten thousand lines', () => {
    const digest = createHash('sha256');
    let count = 0;
    for (const text of texts(golden.lines)) {
      count++;
      const ids = vocabulary.encode(text).map((piece) => piece.id);
      const decoded = vocabulary.decode(ids.map((id) => vocabulary.model.pieces[id]));
      digest.update(`${ids.join(' ')}\n${decoded}\n`);
    }
    expect(count).toBe(10_000);
    expect(digest.digest('hex')).toBe(golden.sha256);
  });
});

describe('a broken vocabulary', () => {
  const bytes = readFileSync(new URL('unigram.spm', GOLDENS));

  it('is a typed error that names the file, or a vocabulary that can be used, whatever byte changes', () => {
    let state = 1;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff;
      return (state >> 8) % below;
    };
    for (let round = 0; round < 2_000; round++) {
      const broken = Uint8Array.from(bytes.subarray(0, draw(4) === 0 ? draw(bytes.length) : bytes.length));
      for (let change = 0; change < 4 && broken.length > 0; change++) broken[draw(broken.length)] = draw(256);
      try {
        const vocabulary = new SentencePiece(broken, 'source.spm');
        vocabulary.decode(
          vocabulary.encode('A man\u00a0rides a \ufb01ne horse \u{1f600} \u2460.').map((piece) => piece.text),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(ForetokenError);
        expect((error as ForetokenError).message).toContain('source.spm');
      }
    }
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a text', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n')],
    ['a page', new TextEncoder().encode('<!doctype html><html></html>')],
  ])('that is %s is refused', (_, content) => {
    expect(() => new SentencePiece(content, 'source.spm')).toThrow(/source\.spm/);
  });
});
