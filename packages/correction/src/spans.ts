/** A part of a text: from `start` up to, not including, `end`, in UTF-16 code units as in JavaScript strings. */
export interface Span {
  /** Where it begins in the text, in UTF-16 code units. */
  readonly start: number;
  /** Where it ends: the first unit after it. */
  readonly end: number;
}

/** Units that are looked at before other work may have a turn. */
export const STRETCH = 4_096;

/** All matches of a global expression. */
export function spansOf(text: string, pattern: RegExp): Span[] {
  return Array.from(text.matchAll(pattern), ({ index, 0: { length } }) => ({ start: index, end: index + length }));
}

/**
 * Matches of a global expression in a text of any length, found in parts of it; yields nothing after each part.
 *
 * A match and what follows it that the expression looks at have at most `reach` units, and it looks at `back` units before.
 */
export function* matchesIn(
  text: string,
  pattern: RegExp,
  reach: number,
  back = 0,
): Generator<Span | undefined, void, undefined> {
  const own = new RegExp(pattern);
  for (let at = 0; at < text.length; ) {
    const begin = Math.max(0, at - back);
    const until = at + STRETCH;
    const part = text.slice(begin, until + reach);
    own.lastIndex = at - begin;
    at = until;
    for (const { index, 0: match } of part.matchAll(own)) {
      const start = begin + index;
      if (start >= until) break;
      const end = start + match.length;
      at = Math.max(at, end);
      yield { start, end };
    }
    yield;
  }
}

/** Whether a code unit is white space, as `\s` says. */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return (
    unit === 0xa0 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x3000 ||
    unit === 0xfeff ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x1680
  );
}

/** Spans in the order of their beginnings, among which those that an edit alters are found without a look at each. */
export class SpanIndex {
  readonly #starts: number[] = [];
  /** The farthest end of a span and of those before it. */
  readonly #ends: number[] = [];

  /** Adds a span that does not begin before the last one. */
  add({ start, end }: Span): void {
    this.#ends.push(Math.max(end, this.#ends.at(-1) ?? 0));
    this.#starts.push(start);
  }

  /** Whether putting something in the place of `span` alters any: whatever is put in front of one or after it does not. */
  alteredBy(span: Span): boolean {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] < span.end) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.#ends[low - 1] > span.start;
  }
}
