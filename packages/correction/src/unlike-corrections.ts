import { cut, wordsOf } from './changes.js';
import type { Span } from './spans.js';
import { wordDistance } from './word-distance.js';

/** Marks that show how a text is built: brackets, quotation marks, slashes, bars, stars and the like. */
const STRUCTURE = /[\p{Ps}\p{Pe}«»“”"\\/*|_#@%&`~]/gu;
const DASH = /\p{Pd}/gu;
/** A dash between spaces is a word of its own. */
const DASH_ALONE = /(?:^|\s)\p{Pd}+(?=\s|$)/u;
const MARK = /\p{P}/u;
const CAPITALS = /^\p{Lu}{2,40}$/u;
const MIXED = /^\p{L}\P{Lu}*\p{Lu}/u;
const ODD_CONTRACTION = /\p{L}(?<!n)['’]t$/iu;
/** Letters of a word that is not left out by mistake, and units in which it may be said once more. */
const SOME = 4;
const NEAR = 60;
/** Letters of a long word; and how much such a word differs from what it cannot be a misspelling of. */
const LONG = 7;
const STRANGE = 0.75;
/** Units of a picture that tell it from other text, and of words that may be said twice. */
const LONGEST_PICTURE = 12;
const LONGEST_REPEAT = 120;
/** What ends in an emoji, or in a face made of marks with white space before it. */
const PICTURE =
  /(?:(?![©®™])\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\uFE0F|\u200D|\u20E3|(?:^|\s)(?:[:;=][-'’^o]?[()DPpOo3/\\|*\][]+|<3+|[xX]D+|\^[_.-]?\^|-_+-|[oO][_.][oO]|\\o\/))$/u;
const THRICE = /(\p{L})\1\1/iu;
/** Few words begin so, but a model that puts a capital in front of a letter instead of in its place writes them. */
const TWICE_FIRST = /(?<![\p{L}\p{M}'’-])(\p{L})\1/iu;

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

/** Whether a mark would be put after an emoji or an emoticon that ends without one. */
export function marksPicture({ start, after }: Span & { readonly after: string }, text: string): boolean {
  return /^\p{P}/u.test(after) && PICTURE.test(text.slice(Math.max(0, start - LONGEST_PICTURE), start));
}

/** Whether words would be put beside the same words. */
export function repeatsWords({ start, end, after }: Span & { readonly after: string }, text: string): boolean {
  if (text.slice(start, end).trim() !== '') return false;
  const said = wordsIn(after);
  if (said.length === 0) return false;
  const before = wordsIn(text.slice(Math.max(0, start - LONGEST_REPEAT), start)).slice(-said.length);
  const next = wordsIn(text.slice(end, end + LONGEST_REPEAT)).slice(0, said.length);
  return [before, next].some((words) => words.join(' ') === said.join(' '));
}

/** Whether a word of some length would be lost: left out at one of the places, said beside none of them, and put in at none. */
export function losesWord(parts: readonly (Span & { readonly after: string })[], text: string): boolean {
  const putIn = parts.flatMap(({ after }) => wordsIn(after));
  return parts.some(({ start, end, after }) => {
    if (wordsIn(after).length > 0) return false;
    const near = wordsIn(`${text.slice(Math.max(0, start - NEAR), start)} ${text.slice(end, end + NEAR)}`);
    return wordsIn(text.slice(start, end)).some(
      (word) => word.length >= SOME && !near.includes(word) && !putIn.includes(word),
    );
  });
}

/** Whether a word would be another one with hardly a letter in common, as `southeastern` for `cat`; short ones such as `went` may be. */
export function replacesWord(before: string, after: string): boolean {
  const [words, others] = [wordsIn(before), wordsIn(after)];
  if (words.length !== 1 || others.length !== 1) return false;
  return Math.max(words[0].length, others[0].length) >= LONG && wordDistance(words[0], others[0]) > STRANGE;
}

function wordsIn(text: string): string[] {
  return wordsOf(text).map((span) => cut(text, span).toLowerCase());
}

/** Marks of a kind, in their order. */
function marksOf(text: string, kind: RegExp): string {
  return (text.match(kind) ?? []).join('');
}

/** Whether an abbreviation in capitals would become a word with a capital in it, such as `IsBN`. */
export function mixesCapitals(before: string, after: string): boolean {
  return CAPITALS.test(before) && MIXED.test(after) && after.toUpperCase() === before;
}

/** Whether a word in capitals would be the same one with small letters. */
export function lowersCapitals(before: string, after: string): boolean {
  return CAPITALS.test(before) && after.toUpperCase() === before;
}

/**
 * Whether a word would be one that hardly any language has: with a letter three times in a row, or twice at its beginning, or with
 * `'t` after another letter than an n.
 */
export function makesOddWord(before: string, after: string): boolean {
  return [THRICE, TWICE_FIRST, ODD_CONTRACTION].some((odd) => odd.test(after) && !odd.test(before));
}
