import { ForetokenError, type TokenConstraint } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objects } from '../examples/constrained-json.ts';
import { type PatternState, regularExpressionConstraint } from '../examples/regular-expression-constraint.ts';

const END = 0;
const LONGEST = 6;

/** Token 0 ends an output; the others stand for these pieces. */
function constrain(pattern: RegExp, pieces: readonly string[]): TokenConstraint<PatternState> {
  const vocabulary = { size: pieces.length + 1, endTokenId: END };
  return regularExpressionConstraint(pattern, vocabulary, (tokenId) => pieces[tokenId - 1] ?? '');
}

/** Every text of at most `LONGEST` UTF-16 units that pieces spell. */
function spelled(pieces: readonly string[]): Set<string> {
  const texts = new Set(['']);
  for (const text of texts) {
    for (const piece of pieces) {
      const longer = text + piece;
      if (longer.length <= LONGEST) texts.add(longer);
    }
  }
  return texts;
}

/** The texts of at most `LONGEST` units at which the end token is allowed, walking allowed tokens only. */
function reachable(constraint: TokenConstraint<PatternState>, pieces: readonly string[]): Set<string> {
  const ended = new Set<string>();
  const walk = (state: PatternState, text: string): void => {
    const allowed = constraint.allowed(state);
    if (allowed[END] === 1) ended.add(text);
    for (const [index, piece] of pieces.entries()) {
      if (allowed[index + 1] !== 1 || text.length + piece.length > LONGEST) continue;
      walk(constraint.next(state, index + 1), text + piece);
    }
  };
  walk(constraint.start(0), '');
  return ended;
}

function matching(pattern: RegExp, pieces: readonly string[]): Set<string> {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags);
  return new Set([...spelled(pieces)].filter((text) => whole.test(text)));
}

/** Every state that allowed tokens lead to must lead on, over allowed tokens, to one where the end is allowed. */
function expectNoDeadEnds(constraint: TokenConstraint<PatternState>): void {
  const successors = (state: PatternState) =>
    [...constraint.allowed(state).keys()]
      .filter((tokenId) => tokenId !== END && constraint.allowed(state)[tokenId] === 1)
      .map((tokenId) => constraint.next(state, tokenId));
  const from = (first: PatternState) => {
    const seen = new Set([first]);
    for (const state of seen) for (const successor of successors(state)) seen.add(successor);
    return seen;
  };
  for (const state of from(constraint.start(0))) {
    expect([...from(state)].some((later) => constraint.allowed(later)[END] === 1)).toBe(true);
  }
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ForetokenError);
    return (error as ForetokenError).code;
  }
  throw new Error('nothing was thrown');
}

const { source: SOURCE } = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.constantFrom('a', 'b', 'B', '.', '[ab]', '[^a]', '[A-C]', '\\w', '(?!a)[^b]', ''),
    fc.tuple(tie('source'), tie('source')).map(([left, right]) => left + right),
    fc.tuple(tie('source'), tie('source')).map(([left, right]) => `(?:${left}|${right})`),
    fc
      .tuple(tie('source'), fc.constantFrom('?', '*', '+', '{2}', '{0,2}', '{1,}?'))
      .map(([inner, count]) => `(?:${inner})${count}`),
  ),
}));
const PATTERN = fc
  .tuple(SOURCE, fc.constantFrom('', 'i', 'u', 'iu', 's'), fc.constantFrom('', '^', '^^'), fc.constantFrom('', '$'))
  .map(([source, flags, start, end]) => new RegExp(`${start}${source}${end}`, flags));

/** What the machine lets through must be what the pattern matches; a refusal must be true, as far as one can look. */
function expectExactlyTheMatches(pattern: RegExp, pieces: readonly string[]): void {
  const expected = matching(pattern, pieces);
  let constraint: TokenConstraint<PatternState>;
  try {
    constraint = constrain(pattern, pieces);
  } catch (error) {
    expect((error as ForetokenError).code).toBe('UNSATISFIABLE_CONSTRAINT');
    expect([...expected]).toEqual([]);
    return;
  }
  expect([...reachable(constraint, pieces)].sort()).toEqual([...expected].sort());
  expectNoDeadEnds(constraint);
}

describe('a constraint made of a regular expression', () => {
  it('lets exactly the matching texts through, character by character', () => {
    fc.assert(
      fc.property(PATTERN, (pattern) => expectExactlyTheMatches(pattern, ['a', 'b', 'B'])),
      { numRuns: 200 },
    );
  });

  it('lets exactly the matching texts through where pieces are longer or missing', () => {
    const pieces = fc.uniqueArray(fc.constantFrom('a', 'B', 'ab', 'ba', 'bB', 'aab', ''), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(fc.property(PATTERN, pieces, expectExactlyTheMatches), { numRuns: 200 });
  });

  it('never enters what the vocabulary cannot finish', () => {
    // The automaton goes on from b to c, but no piece has a c.
    const constraint = constrain(/a+|bc/, ['a', 'b']);
    expect([...constraint.allowed(constraint.start(0))]).toEqual([0, 1, 0]);
    expect(codeOf(() => constrain(/bc/, ['a', 'b']))).toBe('UNSATISFIABLE_CONSTRAINT');
    expect(codeOf(() => constrain(/[^\s\S]/, ['a', 'b']))).toBe('UNSATISFIABLE_CONSTRAINT');
  });

  it('ends at once where only the empty text matches', () => {
    const constraint = constrain(/^$/, ['a']);
    expect([...constraint.allowed(constraint.start(0))]).toEqual([1, 0]);
  });

  it('never allows tokens that stand for no text, nor padding and unknown text', () => {
    const vocabulary = { size: 5, endTokenId: 0, padTokenId: 1, unknownTokenId: 2 };
    const constraint = regularExpressionConstraint(/a*/, vocabulary, (tokenId) => (tokenId === 3 ? '' : 'a'));
    expect([...constraint.allowed(constraint.start(0))]).toEqual([1, 0, 0, 0, 1]);
  });

  it('computes the tokens of a state once', () => {
    const constraint = constrain(/(?:ab)*/, ['a', 'b']);
    const start = constraint.start(0);
    const again = constraint.next(constraint.next(start, 1), 2);
    expect(constraint.allowed(again)).toBe(constraint.allowed(start));
  });

  it('counts characters as the pattern does', () => {
    const halves = ['\ud83c', '\udf89', '🎉'];
    expect([...reachable(constrain(/🎉/u, halves), halves)]).toEqual(['🎉']);
    const whole = constrain(/🎉/u, halves);
    expect([...whole.allowed(whole.start(0))]).toEqual([0, 0, 0, 1]);
    const split = constrain(/🎉/, halves);
    expect([...split.allowed(split.start(0))]).toEqual([0, 1, 0, 1]);
  });

  it('refuses what an automaton cannot express', () => {
    // Not a literal: the compiler's target is older than flag v.
    const sets = new RegExp('a', ['v'].join(''));
    for (const pattern of [/\bab/, /a(?=b)/, /(?<!a)b/, /(a*)b\1/, /(?:(?:a{99}){99}){99}/, sets]) {
      expect(codeOf(() => constrain(pattern, ['a', 'b']))).toBe('INVALID_ARGUMENT');
    }
  });

  it('refuses a token that was not allowed', () => {
    const constraint = constrain(/ab/, ['a', 'b']);
    expect(codeOf(() => constraint.next(constraint.start(0), 2))).toBe('INVALID_ARGUMENT');
  });
});

it('makes a model of random scores write JSON that fits its schema', () => {
  expect(objects).toHaveLength(3);
  for (const object of objects as { colour: string; count: number }[]) {
    expect(Object.keys(object)).toEqual(['colour', 'count']);
    expect(['red', 'green', 'blue']).toContain(object.colour);
    expect(Number.isInteger(object.count) && object.count >= 0 && object.count <= 999).toBe(true);
  }
});
