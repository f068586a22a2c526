import { type Span, spansOf } from './spans.js';
import { alignWords, type WordPair } from './word-alignment.js';

/** One place where two texts differ. */
export interface Change {
  /** In the text before; empty where something was put in. */
  readonly before: Span;
  /** In the text after; empty where something was left out. */
  readonly after: Span;
}

const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’-][\p{L}\p{M}\p{N}_]+)*/gu;

export function wordsOf(text: string): Span[] {
  return spansOf(text, WORD);
}

/**
 * What turns a text into another, by words: a word that became another one, one that became two or two that became one, and
 * whatever changed between words that were kept. In the order of the text; changes never overlap.
 */
export function changesBetween(before: string, after: string): Change[] {
  if (before === after) return [];
  const pairs = alignWords(before, after, wordsOf(before), wordsOf(after));
  const changes: Change[] = [];
  const between = (start: Span, end: Span): void => {
    const change = trimmed(before, after, start, end);
    if (change !== undefined) changes.push(change);
  };
  let last: WordPair = { before: { start: 0, end: 0 }, after: { start: 0, end: 0 } };
  for (const pair of pairs) {
    between(gap(last.before, pair.before), gap(last.after, pair.after));
    if (cut(before, pair.before) !== cut(after, pair.after)) changes.push(pair);
    last = pair;
  }
  between({ start: last.before.end, end: before.length }, { start: last.after.end, end: after.length });
  return changes;
}

export function cut(text: string, { start, end }: Span): string {
  return text.slice(start, end);
}

function gap(left: Span, right: Span): Span {
  return { start: left.end, end: right.start };
}

/** What differs of two parts, without what they begin and end with alike; nothing where they are equal. */
function trimmed(before: string, after: string, one: Span, other: Span): Change | undefined {
  const [left, right] = [cut(before, one), cut(after, other)];
  if (left === right) return undefined;
  const max = Math.min(left.length, right.length);
  let head = 0;
  while (head < max && left[head] === right[head]) head++;
  if (splitsPair(left, head) || splitsPair(right, head)) head--;
  let tail = 0;
  while (tail < max - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  if (splitsPair(left, left.length - tail) || splitsPair(right, right.length - tail)) tail--;
  return {
    before: { start: one.start + head, end: one.end - tail },
    after: { start: other.start + head, end: other.end - tail },
  };
}

/** Whether a place lies inside a character of two code units. */
function splitsPair(text: string, at: number): boolean {
  return /[\uD800-\uDBFF]/.test(text[at - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[at] ?? '');
}
