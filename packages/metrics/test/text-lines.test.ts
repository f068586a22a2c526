import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TextLine, textLines } from '../src/index.js';

async function* pieces(chunks: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array | string> {
  yield* chunks;
}

async function read(chunks: readonly (Uint8Array | string)[], limit?: number): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  for await (const line of textLines(pieces(chunks), limit)) lines.push(line);
  return lines;
}

const texts = async (text: string): Promise<string[]> => (await read([Buffer.from(text)])).map((line) => line.text);

describe('lines of a text', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['\ufeff', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\r\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\r\nb\r', ['a', 'b']],
    ['\n', ['']],
    ['\n\n', ['', '']],
    ['\r\n\r\n', ['', '']],
    ['a\r\r\n', ['a\r']],
    ['a\rb\n', ['a\rb']],
    ['\ufeffa\n\ufeffb', ['a', '\ufeffb']],
    ['\ufeff\ufeffa', ['\ufeffa']],
    ['a\fb\n', ['a\fb']],
    ['a\u2028b\u2029c\u0085d\n', ['a\u2028b\u2029c\u0085d']],
    ['a\u0000b\n\u0000', ['a\u0000b', '\u0000']],
    ['a\vb\x1cc\x1dd\x1ee\n', ['a\vb\x1cc\x1dd\x1ee']],
    [' a \t\n', [' a \t']],
  ])('of %j', async (text, lines) => {
    expect(await texts(text)).toEqual(lines);
  });

  it('are the same in bytes and in strings, however these are cut', async () => {
    const unit = fc.constantFrom('ä', '🎉', 'x', '\r', '\n', '\r\n', '\ufeff', '\u2028', '\f', '\u0000');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit }), fc.array(fc.nat(9)), async (text, cuts) => {
        const bytes = Buffer.from(text);
        const whole = await read([bytes]);
        const cutBytes: Uint8Array[] = [];
        const cutText: string[] = [];
        const characters = Array.from(text);
        let [from, at] = [0, 0];
        for (const cut of cuts) {
          cutBytes.push(bytes.subarray(from, from + cut));
          cutText.push(characters.slice(at, at + cut).join(''));
          from += cut;
          at += cut;
        }
        expect(await read([...cutBytes, bytes.subarray(from)])).toEqual(whole);
        expect(await read([...cutText, characters.slice(at).join('')])).toEqual(whole);
        expect(whole.map(({ number }) => number)).toEqual(whole.map((_, index) => index + 1));
      }),
      { numRuns: 500 },
    );
  });

  it('over the limit are known by their length only, which does not count what ends them', async () => {
    const lines = await read(['1234', '5678\r', '\n12345678', '9\r\n12345678\r\n', '123456789'], 8);
    expect(lines).toEqual([
      { number: 1, text: '12345678', length: 8 },
      { number: 2, text: '', length: 9 },
      { number: 3, text: '12345678', length: 8 },
      { number: 4, text: '', length: 9 },
    ]);
  });

  it('of UTF-16 are refused, however they are cut', async () => {
    const little = Buffer.from('\ufeffA dog.\n', 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) {
      const refused = expect.objectContaining({ code: 'INVALID_LINES', message: expect.stringContaining('UTF-16') });
      await expect(read([bytes])).rejects.toEqual(refused);
      await expect(read([bytes.subarray(0, 0), bytes.subarray(0, 1), bytes.subarray(1)])).rejects.toEqual(refused);
    }
    // Such a byte later on is one character that cannot be read.
    expect(await read([Buffer.from('a'), Buffer.of(0xff, 0xfe)])).toEqual([
      { number: 1, text: 'a\ufffd\ufffd', length: 3 },
    ]);
  });
});
