import { type Span, spansOf } from './spans.js';

const FILE_ENDINGS =
  'txt|py|js|mjs|cjs|ts|jsx|tsx|json|jsonl|csv|tsv|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|webp|mp[34]|wav|md|rst|html?|css|gz|zip|tar|log|xml|ya?ml|toml|ini|cfg|c|h|cc|cpp|hpp|cs|go|rs|rb|java|kt|php|sh|bat|exe|dll|so|sql|onnx|bin';
const DOMAINS = 'com|org|net|io|dev|edu|gov|co|uk|de|fr|eu|info|app|ai';

/** What may hold spaces: code in backticks, tags, white space but single spaces. Bounded, so that the search takes linear time. */
const LONG_PATTERNS: readonly RegExp[] = [
  /(`{1,3})[^\n]{0,300}?[^`\n]\1(?!`)/g,
  /<[/!?]?\p{L}[^<>\n]{0,300}>/gu,
  /\s{2,}|[^\S ]/gu,
];

/** What lies between spaces. */
const PATTERNS: readonly RegExp[] = [
  // Links, addresses, entities, options of commands, names after @ and #.
  /\b[a-z][a-z0-9+.-]*:\/\/\S*[^\s.,;:!?)\]}'"’”]/giu,
  /\bwww\.\S*[^\s.,;:!?)\]}'"’”]/giu,
  /[^@<>()[\],;:"]+@[^@<>()[\],;:"]*[^@<>()[\],;:".!?]/gu,
  /&(?:#\d+|#x[\da-f]+|[a-z]+\d*);/giu,
  /^--?[a-z][\w-]*(?:=\S+)?/giu,
  /[@#][\p{L}\p{N}_]+/gu,
  // File names, domains, paths, identifiers.
  new RegExp(`[\\p{L}\\p{N}_-]+(?:\\.[\\p{L}\\p{N}_-]+)*\\.(?:${FILE_ENDINGS}|${DOMAINS})(?![\\p{L}\\p{N}_])`, 'giu'),
  /[^"'()[\]{}<>,;]*[/\\_][^"'()[\]{}<>,;]*[^"'()[\]{}<>,;.:!?]/gu,
  /[\p{L}\p{N}]*\p{Ll}\p{Lu}[\p{L}\p{N}]*/gu,
  // Whatever holds a digit.
  /(?:[\p{L}\p{M}_]|[.:,/'’-](?=[\p{L}\p{N}]))*\p{N}(?:[\p{L}\p{M}\p{N}_%]|[.:,/'’-](?=[\p{L}\p{N}]))*/gu,
  // Symbols, emoji, characters that are none, what joins them.
  /[^\p{L}\p{M}\p{N}\p{P}]+/gu,
];

/** Words have at most so many characters; what is longer between two spaces is something else. */
const LONGEST = 100;
/** Most words of English hold nothing to look for. */
const PLAIN_LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const PLAIN = /^[("'“‘]*[A-Z]?[a-z]*(?:['’-][a-z]+)*[.,;:!?)"'”’…]*$/;
const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’-][\p{L}\p{M}\p{N}_]+)*/gu;

/**
 * What is never altered: code in backticks, links, addresses, tags, file names, paths, identifiers, numbers, symbols, emoji, white
 * space other than single spaces, and words with letters that are not in `alphabet` (lower case; without it any word may be
 * altered). Something may still be put before them or after them, such as a full stop.
 */
export function protectedSpans(text: string, alphabet: string | undefined): Span[] {
  const known = alphabet === undefined ? undefined : new Set(alphabet);
  const found = LONG_PATTERNS.flatMap((pattern) => spansOf(text, pattern));
  for (const { index, 0: chunk } of text.matchAll(/\S+/g)) {
    if (alphabet === PLAIN_LETTERS && PLAIN.test(chunk)) continue;
    if (chunk.length > LONGEST) {
      found.push({ start: index, end: index + chunk.length });
      continue;
    }
    const inside = PATTERNS.flatMap((pattern) => spansOf(chunk, pattern));
    if (known !== undefined) inside.push(...spansOf(chunk, WORD).filter((span) => isForeign(chunk, span, known)));
    for (const { start, end } of inside) found.push({ start: index + start, end: index + end });
  }
  return found;
}

function isForeign(text: string, { start, end }: Span, known: ReadonlySet<string>): boolean {
  return Array.from(text.slice(start, end).toLowerCase()).some(
    (letter) => /[\p{L}\p{M}]/u.test(letter) && !known.has(letter),
  );
}
