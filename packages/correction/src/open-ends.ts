import type { Span } from './spans.js';

/** Lines of verse have at most so many units. */
const WIDEST_VERSE = 60;
/** More neighbours are no poem. */
const MOST_LINES = 400;
/** What of a line goes on after a comma in the next one. Salutations, of one or two words, do not. */
const GOES_ON = /^\S+\s\S+\s.*[,;]["'”’]?$/su;
const CAPITAL = /^["'“‘(]?\p{Lu}/u;
/** A sentence that ends before the end of the line. */
const INNER_END = /[.!?…]["'”’)]?\s/u;
const LIST_MARK = /(?:^|\s)(?:[-*+•‣]|\d{1,3}[.)])\s/u;

/** Whether a line is one item of a list, of at most one sentence: whether a full stop ends it is up to the writer. */
export function isItem(text: string, line: Span, { start, end }: Span): boolean {
  return LIST_MARK.test(text.slice(line.start, start)) && !INNER_END.test(text.slice(start, end));
}

/**
 * Whether neighbouring lines are verse, where marks at the ends of lines are the poet's: short lines of which one ends in a comma or a
 * semicolon. All begin with a capital, or most end so.
 */
export function areVerse(text: string, lines: readonly Span[]): boolean {
  if (lines.length < 2 || lines.length > MOST_LINES) return false;
  if (lines.some(({ start, end }) => end - start > WIDEST_VERSE)) return false;
  const said = lines.map(({ start, end }) => text.slice(start, end));
  const open = said.slice(0, -1).filter((line) => GOES_ON.test(line)).length;
  return open > 0 && (said.every((line) => CAPITAL.test(line)) || open > (lines.length - 1) / 2);
}
