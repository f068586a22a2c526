import type { Span } from './spans.js';

/** Marks that show how a text is built: brackets, quotation marks, slashes, bars, stars and the like. */
const STRUCTURE = /[\p{Ps}\p{Pe}«»“”"\\/*|_#@%&`~]/gu;
const DASH = /\p{Pd}/gu;
/** A dash between spaces is a word of its own. */
const DASH_ALONE = /(?:^|\s)\p{Pd}+(?=\s|$)/u;
const MARK = /\p{P}/u;
const CAPITALS = /^\p{Lu}{2,40}$/u;
const MIXED = /^\p{L}\P{Lu}*\p{Lu}/u;
const THRICE = /(\p{L})\1\1/iu;

/**
 * Whether what is put in the place of a span alters marks that are the writer's alone: brings in or takes away what builds a
 * text, or a dash between spaces; or puts a mark beside its like, as in a row of dots.
 */
export function altersStructure({ start, end, after }: Span & { readonly after: string }, text: string): boolean {
  const before = text.slice(start, end);
  if (marksOf(before, STRUCTURE) !== marksOf(after, STRUCTURE)) return true;
  const around = text.slice(Math.max(0, start - 1), end + 1);
  if (DASH_ALONE.test(around) && marksOf(before, DASH).length > marksOf(after, DASH).length) return true;
  const [first, last] = [after.charAt(0), after.charAt(after.length - 1)];
  const besideLike =
    (MARK.test(first) && first === text.charAt(start - 1)) || (MARK.test(last) && last === text.charAt(end));
  return before === '' && besideLike;
}

/** Marks of a kind, in their order. */
function marksOf(text: string, kind: RegExp): string {
  return (text.match(kind) ?? []).join('');
}

/** Whether an abbreviation in capitals would become a word with a capital in it, such as `IsBN`. */
export function mixesCapitals(before: string, after: string): boolean {
  return CAPITALS.test(before) && MIXED.test(after) && after !== before && after.toUpperCase() === before;
}

/** Whether a letter would stand three times in a row, as hardly ever in a word. */
export function triplesLetter(before: string, after: string): boolean {
  return THRICE.test(after) && !THRICE.test(before);
}
