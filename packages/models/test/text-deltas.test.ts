import { describe, expect, it } from 'vitest';
import { TextDeltas } from '../src/index.js';

/** As decoders with byte fallback do: a run of bytes that is no UTF-8 reads as one U+FFFD for each byte. */
function textOf(tokenIds: readonly number[]): string {
  let text = '';
  for (let at = 0; at < tokenIds.length; ) {
    const run = tokenIds.slice(at).findIndex((tokenId) => tokenId < 256);
    const words = run < 0 ? tokenIds.slice(at) : tokenIds.slice(at, at + run);
    text += words.map((tokenId) => String.fromCodePoint(tokenId - 256)).join('');
    at += words.length;
    const bytes: number[] = [];
    while (at < tokenIds.length && (tokenIds[at] as number) < 256) bytes.push(tokenIds[at++] as number);
    try {
      text += new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
    } catch {
      text += '\uFFFD'.repeat(bytes.length);
    }
  }
  return text;
}

const letters = (text: string): number[] => Array.from(text, (letter) => 256 + (letter.codePointAt(0) as number));

function joined(tokenIds: readonly number[]): string {
  const deltas = new TextDeltas(textOf);
  return tokenIds.map((tokenId) => deltas.push([tokenId])).join('') + deltas.end();
}

describe('TextDeltas', () => {
  it('gives the text of all tokens, characters of several bytes whole', () => {
    const tokenIds = [...letters('ab '), 0xc3, 0xa9, ...letters('c'), 0xf0, 0x9f, 0x98, 0x80];
    expect(joined(tokenIds)).toBe('ab \u00e9c\u{1f600}');
  });

  it('loses nothing of what follows text that was given out and reads differently later', () => {
    // The byte after the character makes its run no UTF-8.
    expect(joined([...letters('ab'), 0xc3, 0xa9, 0x80, ...letters('the rest of the output')])).toMatch(
      /^ab\u00e9.*the rest of the output$/,
    );
  });
});
