import type { Span } from './spans.js';

/** Units on either side of an edit in which its neighbours are looked for. */
const NEAR = 48;
/** Words of two letters or more: one letter tells nothing. */
const WORDS = /\p{L}[\p{L}\p{M}'’-]+/gu;
const CAPITALS = /^\p{Lu}[\p{Lu}\p{M}'’-]+$/u;
const SMALL = /\p{Ll}/u;

/**
 * What takes the place of a span, as it is written there: in capitals, where the words there and their neighbours are. A text of
 * which a model lowers some words only is worse than it was.
 */
export function inItsCapitals(text: string, { start, end }: Span, after: string): string {
  if (!SMALL.test(after)) return after;
  const before = text.slice(start, end);
  if (SMALL.test(before)) return after;
  const last = wordsIn(text.slice(Math.max(0, start - NEAR), start)).slice(-1);
  const next = wordsIn(text.slice(end, end + NEAR)).slice(0, 1);
  const capitals = [...last, ...wordsIn(before), ...next].filter((word) => CAPITALS.test(word));
  return capitals.length > 1 ? after.toUpperCase() : after;
}

function wordsIn(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}
