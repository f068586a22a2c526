import type { StopStrings } from '@foretoken/core';
import { RowOutput } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYTES, END, TOKENIZERS, utf8 } from './stop-texts.js';

/** Where an output ends if all of it is decoded for each token. */
function reference(
  ids: readonly number[],
  strings: readonly string[],
  decode: (ids: readonly number[]) => string,
): number {
  for (let length = 1; length <= ids.length; length++) {
    const text = decode(ids.slice(0, length));
    if (strings.some((string) => text.includes(string))) return length;
  }
  return ids.length;
}

function cutAt(ids: readonly number[], stopStrings: StopStrings): number {
  const output = new RowOutput(END, 10_000, { stopStrings });
  for (const id of ids) if (!output.push(id)) break;
  return output.length;
}

describe('stop strings', () => {
  for (const [name, { size, decode }] of Object.entries(TOKENIZERS)) {
    it(`end an output where decoding all of it would, with a tokenizer that is ${name}`, () => {
      const textOf = (ids: Int32Array): string => decode([...ids]);
      // A piece of the text itself, so that it is found, and one that seldom is.
      const place = fc.tuple(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 9 }));
      const fixed = fc.constantFrom('STOP', '好好', 'a b', "n't");
      // Now and then a long stretch of one token, such as one without text.
      const piece = fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: size - 1 }).map((id) => [id]) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.integer({ min: 1, max: size - 1 }), fc.integer({ min: 2, max: 20 }))
            .map(([id, count]) => new Array<number>(count).fill(id)),
        },
      );
      let stopped = 0;
      fc.assert(
        fc.property(
          fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.flat()),
          place,
          fixed,
          (ids, [at, length], string) => {
            const characters = [...decode(ids)];
            const begin = Math.floor(at * characters.length);
            const found = characters
              .slice(begin, begin + length)
              .join('')
              .replaceAll('\uFFFD', '');
            const wanted = found === '' ? [string] : [found, string];
            const expected = reference(ids, wanted, decode);
            expect(cutAt(ids, { strings: wanted, textOf })).toBe(expected);
            if (expected < ids.length) stopped++;
          },
        ),
        { numRuns: 1500, seed: 7 },
      );
      expect(stopped).toBeGreaterThan(500);
    });
  }

  it('end an output at any border of bytes, of joined characters too, and where a minimum lies between', () => {
    const characters = [...'👨\u200d👩\u200d👧é好e\u0301🙂STOP a\n\uFEFF한𝒳'];
    const count = (text: string, string: string): number => {
      let found = 0;
      for (let at = text.indexOf(string); at >= 0; at = text.indexOf(string, at + 1)) found++;
      return found;
    };
    const anyText = fc
      .array(fc.constantFrom(...characters), { minLength: 1, maxLength: 40 })
      .map((some) => [...utf8.encode(some.join(''))]);
    let stopped = 0;
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 3 }),
        fc.nat(60),
        (bytes, sizes, places, minimum) => {
          // Tokens of no byte to three, wherever characters end.
          const pieces: (readonly number[])[] = [];
          for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) {
            const size = sizes[pieces.length % sizes.length];
            pieces.push(bytes.slice(at, at + (pieces.length % 2 === 0 ? Math.max(size, 1) : size)));
          }
          const ids = pieces.map((_, index) => index + 1);
          const decode = (some: readonly number[]): string =>
            new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(some.flatMap((id) => pieces[id - 1])));
          const whole = [...decode(ids)];
          const strings = places.map(([at, length]) => {
            const begin = at % whole.length;
            return whole.slice(begin, begin + length).join('');
          });
          const most = strings.map(() => 0);
          const completes = (length: number): boolean => {
            const counts = strings.map((string) => count(decode(ids.slice(0, length)), string));
            const more = counts.some((found, index) => found > most[index]);
            for (const [index, found] of counts.entries()) most[index] = Math.max(most[index], found);
            return more;
          };
          const expected = ids.find((length) => completes(length) && length >= minimum) ?? ids.length;
          const stopStrings = { strings, textOf: (some: Int32Array): string => decode([...some]) };
          const output = new RowOutput(END, 10_000, { stopStrings }, minimum);
          for (const id of ids) if (!output.push(id)) break;
          expect(output.length).toBe(expected);
          if (output.finishReason === 'stop-string') stopped++;
        },
      ),
      { numRuns: 500, seed: 13 },
    );
    expect(stopped).toBeGreaterThan(100);
  });

  it('find a string that many tokens without text interrupt', () => {
    const { decode } = TOKENIZERS.SentencePiece;
    const ids = [2, 4, ...new Array<number>(300).fill(1), 5, 3];
    expect(cutAt(ids, { strings: ['STOP'], textOf: (window) => decode([...window]) })).toBe(303);
  });

  it('find a string longer than the text of many tokens', () => {
    const string = 'ab'.repeat(100);
    const textOf = (ids: Int32Array): string => Array.from(ids, (id) => ' ab'[id]).join('');
    const ids = [2, ...new Array<number[]>(150).fill([1, 2]).flat()];
    expect(cutAt(ids, { strings: [string], textOf })).toBe(201);
    expect(cutAt(ids, { strings: ['not to be found', string], textOf })).toBe(201);
  });

  it('decode a number of tokens that is linear in the output', () => {
    for (const length of [500, 1000, 4000]) {
      for (const [name, { size, decode }] of Object.entries(TOKENIZERS)) {
        let decoded = 0;
        const textOf = (ids: Int32Array): string => {
          decoded += ids.length;
          return decode([...ids]);
        };
        const ids = Array.from({ length }, (_, index) => 1 + ((index * 7919 + (index >> 3)) % (size - 1)));
        expect(cutAt(ids, { strings: ['not to be found'], textOf })).toBe(length);
        expect(decoded, `${name}, ${length} tokens`).toBeLessThan(48 * length);
      }
    }
  });

  it('stay linear where no text comes, and where bytes never make a character', () => {
    for (const byte of [1, BYTES.length - 1]) {
      let decoded = 0;
      const textOf = (ids: Int32Array): string => {
        decoded += ids.length;
        return TOKENIZERS['byte-level'].decode([...ids]);
      };
      expect(cutAt(new Array<number>(3000).fill(byte), { strings: ['x'], textOf })).toBe(3000);
      expect(decoded).toBeLessThan(48 * 3000);
    }
  });

  it('need a text', () => {
    const textOf = (async () => 'a') as unknown as StopStrings['textOf'];
    expect(() => cutAt([1], { strings: ['a'], textOf })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
