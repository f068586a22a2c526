import { matchingBlocks, replacements } from './matching-blocks.js';

/** A text with errors, what it should be, and what came out. */
export interface Triple {
  readonly source: string;
  readonly target: string;
  readonly output: string;
}

const TOKEN = /[\p{L}\p{N}_]+(?:['’-][\p{L}\p{N}_]+)*|[^\p{L}\p{N}_\s]/gu;
const WORD = /^[\p{L}\p{N}]/u;

function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

function wordsOf(text: string): string[] {
  return tokensOf(text).filter((token) => WORD.test(token));
}

/** 0 where nothing is right; 1 where nothing was said and nothing wanted. */
function fScore(right: number, said: number, wanted: number, beta = 1): number {
  if (said === 0 && wanted === 0) return 1;
  return ((1 + beta ** 2) * right) / Math.max(1e-9, beta ** 2 * wanted + said);
}

/** Precision, recall and F0.5 of edits of words and punctuation marks, casing included. */
export function editScores(triples: readonly Triple[]): { precision: number; recall: number; f05: number } {
  let [right, said, wanted] = [0, 0, 0];
  for (const { source, target, output } of triples) {
    const before = tokensOf(source);
    const [gold, made] = [target, output].map((text) => {
      const after = tokensOf(text);
      return new Set(replacements(before, after).map(({ a, b }) => JSON.stringify([a, after.slice(...b)])));
    });
    right += [...made].filter((edit) => gold.has(edit)).length;
    said += made.size;
    wanted += gold.size;
  }
  return {
    precision: right / Math.max(1, said),
    recall: right / Math.max(1, wanted),
    f05: fScore(right, said, wanted, 0.5),
  };
}

/** Places of `words` that an alignment finds again in `other`. */
function kept(words: readonly string[], other: readonly string[]): Set<number> {
  return new Set(matchingBlocks(words, other).flatMap(({ a, size }) => Array.from({ length: size }, (_, n) => a + n)));
}

/** Share of the words that the source lacks, casing apart, which the output holds at their place. */
export function restored(triples: readonly Triple[]): number {
  let [lost, back] = [0, 0];
  for (const { source, target, output } of triples) {
    const words = wordsOf(target.toLowerCase());
    const found = kept(words, tokensOf(source.toLowerCase()));
    const again = kept(words, tokensOf(output.toLowerCase()));
    for (let place = 0; place < words.length; place++) {
      if (found.has(place)) continue;
      lost++;
      if (again.has(place)) back++;
    }
  }
  return back / Math.max(1, lost);
}

/** Share of the words of good lines that the output lacks or alters, casing included. */
export function falseChanges(lines: readonly string[], outputs: readonly string[]): number {
  let [changed, total] = [0, 0];
  for (const [index, line] of lines.entries()) {
    const words = wordsOf(line);
    changed += words.length - kept(words, tokensOf(outputs[index])).size;
    total += words.length;
  }
  return changed / Math.max(1, total);
}

/** F1 of a punctuation mark by the word that it follows. */
export function markScore(triples: readonly Triple[], mark: string): number {
  let [right, said, wanted] = [0, 0, 0];
  for (const { target, output } of triples) {
    const gold = splitMarks(tokensOf(target.toLowerCase()), mark);
    const made = splitMarks(tokensOf(output.toLowerCase()), mark);
    const place = new Map<number, number>();
    for (const { a, b, size } of matchingBlocks(gold.words, made.words)) {
      for (let n = 0; n < size; n++) place.set(b + n, a + n);
    }
    for (const { a, b } of replacements(gold.words, made.words)) {
      if (a[1] - a[0] === b[1] - b[0]) for (let n = 0; n < b[1] - b[0]; n++) place.set(b[0] + n, a[0] + n);
      else if (a[1] > a[0] && b[1] > b[0]) place.set(b[1] - 1, a[1] - 1);
    }
    right += [...made.marks].filter((at) => gold.marks.has(place.get(at) ?? -1)).length;
    said += made.marks.size;
    wanted += gold.marks.size;
  }
  return fScore(right, said, wanted);
}

function splitMarks(tokens: readonly string[], mark: string): { words: string[]; marks: Set<number> } {
  const words: string[] = [];
  const marks = new Set<number>();
  for (const token of tokens) {
    if (token === mark && words.length > 0) marks.add(words.length - 1);
    else if (WORD.test(token)) words.push(token);
  }
  return { words, marks };
}

/** F1 of words with a capital, by place. */
export function capitalsScore(triples: readonly Triple[]): number {
  let [right, said, wanted] = [0, 0, 0];
  const capital = (word: string): boolean => word !== word.toLowerCase();
  for (const { target, output } of triples) {
    const [gold, made] = [wordsOf(target), wordsOf(output)];
    const lower = (words: readonly string[]): string[] => words.map((word) => word.toLowerCase());
    for (const { a, b, size } of matchingBlocks(lower(gold), lower(made))) {
      for (let n = 0; n < size; n++) if (gold[a + n] === made[b + n] && capital(made[b + n])) right++;
    }
    said += made.filter(capital).length;
    wanted += gold.filter(capital).length;
  }
  return fScore(right, said, wanted);
}

/** What was put into a source to be copied. */
export type Placed = readonly [source: string, kind: string, item: string];

/** Share of things put into sentences that come out as they were, by kind and in `all`. */
export function copied(placed: readonly Placed[], outputs: ReadonlyMap<string, string>): Record<string, number> {
  const counts = new Map<string, { right: number; total: number }>();
  const times = (text: string, item: string): number => text.split(item).length - 1;
  for (const [source, kind, item] of placed) {
    const unharmed = times(outputs.get(source) ?? '', item) >= times(source, item);
    for (const name of [kind, 'all']) {
      const { right, total } = counts.get(name) ?? { right: 0, total: 0 };
      counts.set(name, { right: right + (unharmed ? 1 : 0), total: total + 1 });
    }
  }
  return Object.fromEntries(
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, { right, total }]) => [kind, right / total]),
  );
}
