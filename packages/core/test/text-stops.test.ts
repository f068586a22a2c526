import type { StopStrings, TokenConstraint } from '@foretoken/core';
import { RowOutput, scoreProcessors } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const END = 0;
const utf8 = new TextEncoder();

/** Byte-level: a token is a byte or a run of bytes, and a character may need several. */
const BYTES: readonly (readonly number[])[] = [
  [],
  ...['a', 'b', ' ', 'ST', 'OP', 'STOP', 'é', '好', '🙂', ' a'].map((text) => [...utf8.encode(text)]),
  ...[...utf8.encode('é好🙂')].map((byte) => [byte]),
];
const PIECES = ['', '▁a', 'b', '▁', '▁ST', 'OP', 'S', 'TOP', '▁STOP', 'é', '.'];
const WORDS = ['', 'a', '##b', '##ST', '##OP', 'ST', 'OP', '##', 'n', "'", 't', '.'];

/** Token id 1 stands for no text in each, as special tokens do. */
const TOKENIZERS: Readonly<Record<string, { size: number; decode(ids: readonly number[]): string }>> = {
  'byte-level': {
    size: BYTES.length,
    decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => (id === 1 ? [] : BYTES[id])))),
  },
  'byte-level that leaves out unfinished characters': {
    size: BYTES.length,
    decode: (ids) =>
      new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => (id === 1 ? [] : BYTES[id]))), { stream: true }),
  },
  SentencePiece: {
    size: PIECES.length,
    decode: (ids) =>
      ids
        .map((id) => (id === 1 ? '' : PIECES[id]))
        .join('')
        .replaceAll('▁', ' ')
        .replace(/^ /, ''),
  },
  'SentencePiece, trimmed at both ends': {
    size: PIECES.length,
    decode: (ids) =>
      ids
        .map((id) => (id === 1 ? '' : PIECES[id]))
        .join('')
        .replaceAll('▁', ' ')
        .trim(),
  },
  WordPiece: {
    size: WORDS.length,
    decode: (ids) =>
      ids
        .filter((id) => id !== 1)
        .map((id, index) => (WORDS[id].startsWith('##') && index > 0 ? WORDS[id].slice(2) : ` ${WORDS[id]}`))
        .join('')
        .trim(),
  },
  'WordPiece with clean-up': {
    size: WORDS.length,
    decode: (ids) =>
      ids
        .filter((id) => id !== 1)
        .map((id, index) => (WORDS[id].startsWith('##') && index > 0 ? WORDS[id].slice(2) : ` ${WORDS[id]}`))
        .join('')
        .trim()
        .replaceAll(' .', '.')
        .replaceAll(" n ' t", "n't"),
  },
  // A run of bytes reads as replacement characters, one a byte, until the whole run is UTF-8.
  'byte fallback': {
    size: 12,
    decode(ids) {
      const bytes = [...utf8.encode('好🙂')];
      const pieces = ['', '', '▁a', 'STOP', 'b'];
      let text = '';
      for (let at = 0; at < ids.length; ) {
        const run: number[] = [];
        while (at < ids.length && ids[at] >= pieces.length) run.push(bytes[(ids[at++] - pieces.length) % bytes.length]);
        try {
          text += new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(run));
        } catch {
          text += '\uFFFD'.repeat(run.length);
        }
        if (at < ids.length) text += pieces[ids[at++]];
      }
      return text.replaceAll('▁', ' ').replace(/^ /, '');
    },
  },
};

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

describe('a minimum', () => {
  const textOf = (ids: Int32Array): string => Array.from(ids, (id) => 'xab'[id]).join('');

  it('passes over stops that are met before it, and obeys those met at it', () => {
    const cut = (
      ids: readonly number[],
      minimum: number,
      stops: ConstructorParameters<typeof RowOutput>[2],
    ): number => {
      const output = new RowOutput(END, 20, stops, minimum);
      for (const id of ids) if (!output.push(id)) break;
      return output.length;
    };
    const ids = [1, 2, 1, 1, 2, 1, 2];
    for (const stops of [{ stopSequences: [Int32Array.of(1, 2)] }, { stopStrings: { strings: ['ab'], textOf } }]) {
      expect(cut(ids, 0, stops)).toBe(2);
      expect(cut(ids, 2, stops)).toBe(2);
      // The one completed by the second token does not count again later.
      expect(cut(ids, 3, stops)).toBe(5);
      expect(cut(ids, 5, stops)).toBe(5);
      expect(cut(ids, 6, stops)).toBe(7);
      expect(cut(ids, 8, stops)).toBe(7);
    }
  });

  it('does not count a string again that an unfinished character follows', () => {
    const decode = TOKENIZERS['byte-level'].decode;
    const stopStrings = { strings: ['STOP'], textOf: (ids: Int32Array): string => decode([...ids]) };
    const first = 11;
    const output = new RowOutput(END, 20, { stopStrings }, 2);
    // STOP, then é in two bytes, then a.
    for (const id of [6, first, first + 1, 1, 2]) output.push(id);
    expect(output.finishReason).toBeUndefined();
    output.push(6);
    expect(output.finishReason).toBe('stop-string');
  });
});

describe('stop sequences', () => {
  it('end an output where comparing its end with each would', () => {
    const token = fc.integer({ min: 1, max: 2 });
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 30 }),
        fc.array(fc.array(token, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        (ids, sequences) => {
          const output = new RowOutput(END, 100, { stopSequences: sequences.map((ids) => Int32Array.from(ids)) });
          for (const id of ids) if (!output.push(id)) break;
          const ends = (length: number): boolean =>
            sequences.some((sequence) => `,${ids.slice(0, length).join()}`.endsWith(`,${sequence.join()}`));
          const at = ids.findIndex((_, index) => ends(index + 1));
          expect(output.length).toBe(at < 0 ? ids.length : at + 1);
        },
      ),
      { numRuns: 1000, seed: 3 },
    );
  });
});

describe('constrained', () => {
  /** Allows everything and counts its steps. */
  function counting(): { constraint: TokenConstraint<string>; steps: () => number } {
    let steps = 0;
    const constraint: TokenConstraint<string> = {
      start: (row) => `${row}:`,
      next: (state, tokenId) => {
        steps++;
        return state + tokenId;
      },
      allowed: (state) => Uint8Array.of(Number(state.endsWith('1')), 1),
    };
    return { constraint, steps: () => steps };
  }

  it('makes one step a token for an output that grows', () => {
    const { constraint, steps } = counting();
    const rule = scoreProcessors.constrained(constraint);
    const output: number[] = [];
    const context = { row: 0, prefix: new Int32Array(), output };
    for (let length = 0; length < 500; length++) {
      const scores = Float32Array.of(1, 1);
      rule(scores, context);
      expect(scores[0]).toBe(output.at(-1) === 1 ? 1 : Number.NEGATIVE_INFINITY);
      output.push(length % 2);
    }
    expect(steps()).toBe(499);
  });

  it('carries its state on from the context a hypothesis grew from, and from no other', () => {
    const { constraint, steps } = counting();
    const rule = scoreProcessors.constrained(constraint);
    const at = (output: readonly number[], grownFrom?: Parameters<typeof rule>[1]) => {
      const context = { row: 0, prefix: new Int32Array(), output, grownFrom };
      const scores = Float32Array.of(1, 1);
      rule(scores, context);
      return { context, allowsEnd: scores[0] === 1 };
    };
    const first = at([0, 1, 0]);
    expect([first.allowsEnd, steps()]).toEqual([false, 3]);
    expect([at([0, 1, 0, 1], first.context).allowsEnd, steps()]).toEqual([true, 4]);
    expect([at([0, 1, 0, 0], first.context).allowsEnd, steps()]).toEqual([false, 5]);
    // A context of its own, whose output is another one now.
    const own = at([1]).context;
    (own as { output: readonly number[] }).output = [0];
    const scores = Float32Array.of(1, 1);
    rule(scores, own);
    expect(scores[0]).toBe(Number.NEGATIVE_INFINITY);
  });
});
