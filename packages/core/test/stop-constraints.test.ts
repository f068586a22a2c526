import type { TokenConstraint } from '@foretoken/core';
import { RowOutput, scoreProcessors } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { END, TOKENIZERS } from './stop-texts.js';

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
