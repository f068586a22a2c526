import { append } from '@foretoken/core/kit';
import { isSpace, matchesIn, type Span, SpanIndex, STRETCH, spansOf } from './spans.js';

const FILE_ENDINGS =
  'txt|py|js|mjs|cjs|ts|jsx|tsx|json|jsonl|csv|tsv|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|webp|mp[34]|wav|md|rst|html?|css|gz|zip|tar|log|xml|ya?ml|toml|ini|cfg|c|h|cc|cpp|hpp|cs|go|rs|rb|java|kt|php|sh|bat|exe|dll|so|sql|onnx|bin';
const UNITS =
  '[kcmµn]?m[²³]?|[kmµ]?g|[cmd]?l|[mµn]?s|[kMGT]?i?B|[kMG]?bit|[kMG]?Hz|[mkMG]?[WVA]|[hk]?Pa|kWh|kcal|cal|mol|min|hrs?|h|°[CF]|[CKFJN]|px|pt|em|rem|dpi|fps|rpm|mph|kmh|lbs?|oz|ft|yd|mi|sq|am|pm|AM|PM|EUR|USD|GBP|CHF|JPY';
const DOMAINS = 'com|org|net|io|dev|edu|gov|co|uk|de|fr|eu|info|app|ai';

/** What may hold spaces: code in backticks, tags. Bounded, so that the search takes linear time. */
const LONG_PATTERNS: readonly RegExp[] = [/(`{1,3})[^\n]{0,300}?[^`\n]\1(?!`)/g, /<[/!?]?\p{L}[^<>\n]{0,300}>/gu];
/** Units that such a match and what is looked at after it have at most; a character may have two. */
const REACH = 700;
/** A unit of measurement after a number and one space; without the space it is a part of the number. */
const MEASURE: RegExp = new RegExp(`\\p{N} (?:${UNITS})(?![\\p{L}\\p{M}\\p{N}])`, 'gu');

/** What lies between spaces. Each is tried on at most `LONGEST` units, where what it tries is bounded. */
const PATTERNS: readonly RegExp[] = [
  // Links, addresses, entities, options of commands, names after @ and #.
  /\b[a-z][a-z0-9+.-]*:\/\/\S*[^\s.,;:!?)\]}'"’”]/giu,
  /\b(?:mailto|tel|sms|data|urn|geo|magnet|news|javascript|about|file):\S*[^\s.,;:!?)\]}'"’”]/giu,
  /\bwww\.\S*[^\s.,;:!?)\]}'"’”]/giu,
  /[^@<>()[\],;:"]+@[^@<>()[\],;:"]*[^@<>()[\],;:".!?]/gu,
  /&(?:#\d+|#x[\da-f]+|[a-z]+\d*);/giu,
  /(?<=^["'“‘([{<]{0,9})--?[a-z][\w-]*(?:=\S+)?/giu,
  /[@#][\p{L}\p{N}_]+/gu,
  // File names, domains, paths, identifiers.
  new RegExp(`[\\p{L}\\p{N}_-]+(?:\\.[\\p{L}\\p{N}_-]+)*\\.(?:${FILE_ENDINGS}|${DOMAINS})(?![\\p{L}\\p{N}_])`, 'giu'),
  /[^"'()[\]{}<>,;]*[/\\_][^"'()[\]{}<>,;]*[^"'()[\]{}<>,;.:!?]/gu,
  /[\p{L}\p{N}]*\p{Ll}\p{Lu}[\p{L}\p{N}]*/gu,
  // Placeholders, and whatever is tied together by symbols, such as sums.
  /[$#%@]?\{[^{}]*\}|[{}]|%[a-z]\b/gu,
  // What begins or ends a tag ties nothing.
  /[\p{L}\p{N}]+(?!<\/?\p{L}|(?<=<\/?\p{L}[^<>]{0,99})>)[\p{Sm}\p{Sc}^*](?:(?!<\/?\p{L})[\p{L}\p{N}\p{Sm}\p{Sc}^*])*/gu,
  // Whatever holds a digit.
  /(?:[\p{L}\p{M}_]|[.:,/'’-](?=[\p{L}\p{N}]))*\p{N}(?:[\p{L}\p{M}\p{N}_%]|[.:,/'’-](?=[\p{L}\p{N}]))*/gu,
  // Symbols, emoji, characters that are none, what joins them.
  /[^\p{L}\p{M}\p{N}\p{P}]+/gu,
];

/** Words have at most so many characters; what is longer between two spaces is something else. */
const LONGEST = 100;
/** Most words of these letters hold nothing to look for. */
export const PLAIN_LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const PLAIN = /^[("'“‘]{0,9}(?:[A-Z][a-z]*|[a-z]+)(?:['’-][a-z]+)*[.,;:!?)"'”’…]*$/;
/** Of two letters or more, since one is also a word or a name. */
const NUMERAL = /^(?=[IVXLCDM]{2})M{0,3}(?:C[MD]|D?C{0,3})(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})$/;
const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’-][\p{L}\p{M}\p{N}_]+)*/gu;

/**
 * What is never altered: code in backticks, links, addresses, tags, file names, paths, identifiers, numbers with their units, Roman ones, symbols, emoji, white
 * space other than single spaces, words with letters that are not in `alphabet` (lower case; without it any word may be
 * altered), and the words of `keep` (lower case). Something may still be put before them or after them, such as a full stop.
 *
 * Lists of spans, each in the order of the text. Yields between parts of the text.
 */
export function* protectedSpans(
  text: string,
  alphabet: string | undefined,
  keep: ReadonlySet<string> = new Set(),
): Generator<undefined, readonly SpanIndex[], undefined> {
  const rules = {
    known: alphabet === undefined ? undefined : new Set(alphabet),
    plain: alphabet === PLAIN_LETTERS,
    keep,
  };
  const found: SpanIndex[] = [];
  for (const pattern of LONG_PATTERNS) {
    const spans = new SpanIndex();
    for (const span of matchesIn(text, pattern, REACH)) {
      if (span !== undefined) spans.add(span);
      yield;
    }
    found.push(spans);
  }
  const measures = new SpanIndex();
  for (const span of matchesIn(text, MEASURE, LONGEST)) {
    if (span !== undefined) measures.add(span);
    yield;
  }
  found.push(measures);
  const spans = new SpanIndex();
  for (let start = 0, end = 0; start < text.length; start = end) {
    const space = isSpace(text.charCodeAt(start));
    while (end < text.length && isSpace(text.charCodeAt(end)) === space) {
      end++;
      if (end % STRETCH === 0) yield;
    }
    for (const span of space ? spaceSpans(text, { start, end }) : chunkSpans(text, { start, end }, rules)) {
      spans.add(span);
    }
    yield;
  }
  return [...found, spans];
}

/** White space is altered where it is one space. */
function spaceSpans(text: string, span: Span): readonly Span[] {
  return span.end - span.start > 1 || text[span.start] !== ' ' ? [span] : [];
}

interface WordRules {
  /** Letters of words that may be altered; all, where it is undefined. */
  readonly known: ReadonlySet<string> | undefined;
  /** Those letters are the English ones. */
  readonly plain: boolean;
  readonly keep: ReadonlySet<string>;
}

/** What is never altered of what lies between white space. */
function chunkSpans(text: string, whole: Span, { known, plain, keep }: WordRules): readonly Span[] {
  const length = whole.end - whole.start;
  if (length > STRETCH) return [whole];
  const chunk = text.slice(whole.start, whole.end);
  if (length > LONGEST) return plain && PLAIN.test(chunk) ? [] : [whole];
  const words = spansOf(chunk, WORD);
  const inside = words.filter(
    (span) =>
      isKept(chunk, span, keep) || isNumeral(chunk, span) || (known !== undefined && isForeign(chunk, span, known)),
  );
  if (!plain || !PLAIN.test(chunk)) {
    append(
      inside,
      PATTERNS.flatMap((pattern) => spansOf(chunk, pattern)),
    );
  }
  return inside
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end }) => ({ start: whole.start + start, end: whole.start + end }));
}

function isKept(text: string, { start, end }: Span, keep: ReadonlySet<string>): boolean {
  return keep.has(text.slice(start, end).toLowerCase());
}

/** Whether a word is a Roman number: in capitals, or before a bracket that closes, as in lists. */
function isNumeral(text: string, { start, end }: Span): boolean {
  const word = text.slice(start, end);
  return NUMERAL.test(text.charAt(end) === ')' ? word.toUpperCase() : word);
}

function isForeign(text: string, { start, end }: Span, known: ReadonlySet<string>): boolean {
  return Array.from(text.slice(start, end).toLowerCase()).some(
    (letter) => /[\p{L}\p{M}]/u.test(letter) && !known.has(letter),
  );
}
