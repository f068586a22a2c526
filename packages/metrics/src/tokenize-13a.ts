import { MetricsError, splitWords } from './corpus.js';

const ENTITIES: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

// No quantifiers, so every rule is one linear pass. Order matters: later rules see the spaces earlier ones put in.
const RULES: readonly (readonly [RegExp, string])[] = [
  // ASCII punctuation and symbols but for apostrophe, comma, hyphen and full stop.
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  // Full stop and comma, unless a digit stands before,
  [/([^0-9])([.,])/gu, '$1 $2 '],
  // or after them.
  [/([.,])([^0-9])/gu, ' $1 $2'],
  // A hyphen after a digit.
  [/([0-9])(-)/gu, '$1 $2 '],
];

/** The words of one line as NIST's mteval-v13a splits them, which is sacreBLEU's default `13a`; case is kept. */
export function tokenize13a(line: string): string[] {
  if (typeof line !== 'string') {
    throw new MetricsError('INVALID_LINES', `A line must be a string, but was of the type ${typeof line}.`, {
      received: line,
    });
  }
  let text = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [entity, character] of ENTITIES) text = text.replaceAll(entity, character);
  text = ` ${text} `;
  for (const [pattern, replacement] of RULES) text = text.replace(pattern, replacement);
  return splitWords(text);
}
