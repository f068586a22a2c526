import type { Span } from './spans.js';
import { wordDistance } from './word-distance.js';

/** Words that belong together: as spans of the text before and of the text after, both of one word or one of two. */
export interface WordPair {
  readonly before: Span;
  readonly after: Span;
}

/** A word that was left out or put in. */
const ALONE = 1;
/** A pair of words with nothing in common costs as much as both alone; it is preferred, being one change. */
const REPLACED = 2;
/** More than a pair that is the same but for its casing. */
const CASING = 0.1;
/** Of words that were joined or split, beside what differs. */
const JOINED = 0.2;
/** Joined or split words differ by no more than this share of their letters. */
const JOINED_DIFFERENCE = 0.34;

type Step = 'pair' | 'split' | 'join' | 'left out' | 'put in';
/** In the order of `STEPS`: how many words before and after each step takes. */
const TAKES: Readonly<Record<Step, readonly [number, number]>> = {
  pair: [1, 1],
  split: [1, 2],
  join: [2, 1],
  'left out': [1, 0],
  'put in': [0, 1],
};
const STEPS = Object.keys(TAKES) as readonly Step[];

/**
 * Which words of a text became which words of another, in their order: the pairs that cost least in all. Words in no pair were
 * left out or put in.
 */
export function alignWords(
  before: string,
  after: string,
  beforeWords: readonly Span[],
  afterWords: readonly Span[],
): WordPair[] {
  const left = beforeWords.map(({ start, end }) => before.slice(start, end));
  const right = afterWords.map(({ start, end }) => after.slice(start, end));
  // Most words stay as they are; only what lies between the first and the last difference is compared.
  const min = Math.min(left.length, right.length);
  let head = 0;
  while (head < min && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < min - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  const pairs: WordPair[] = [];
  const add = (at: number, words: number, to: number, others: number): void => {
    const [first, last] = [beforeWords[at], beforeWords[at + words - 1]];
    const [one, other] = [afterWords[to], afterWords[to + others - 1]];
    pairs.push({ before: { start: first.start, end: last.end }, after: { start: one.start, end: other.end } });
  };
  for (let at = 0; at < head; at++) add(at, 1, at, 1);
  let at = head;
  let to = head;
  for (const step of cheapest(left.slice(head, left.length - tail), right.slice(head, right.length - tail))) {
    const [words, others] = TAKES[step];
    if (words > 0 && others > 0) add(at, words, to, others);
    at += words;
    to += others;
  }
  for (let rest = 0; rest < tail; rest++) add(at + rest, 1, to + rest, 1);
  return pairs;
}

/** A word is looked for so many places away from where it would be if no word had been put in or left out. */
const REACH = 12;

function cheapest(left: readonly string[], right: readonly string[]): Step[] {
  const width = right.length + 1;
  const costs = new Float64Array((left.length + 1) * width).fill(Number.POSITIVE_INFINITY);
  const steps = new Uint8Array(costs.length);
  costs[0] = 0;
  const [lower, rightLower] = [left.map(lowerCase), right.map(lowerCase)];
  const reach = REACH + Math.abs(left.length - right.length);
  for (let at = 0; at <= left.length; at++) {
    for (let to = Math.max(0, at - reach); to <= Math.min(right.length, at + reach); to++) {
      const [word, other] = [lower[at - 1] ?? '', rightLower[to - 1] ?? ''];
      const improve = (step: number, words: number, others: number, cost: number): void => {
        const total = costs[(at - words) * width + to - others] + cost;
        if (total >= costs[at * width + to]) return;
        costs[at * width + to] = total;
        steps[at * width + to] = step;
      };
      if (at > 0 && to > 0) {
        const cost =
          word === other ? (left[at - 1] === right[to - 1] ? 0 : CASING) : REPLACED * wordDistance(word, other);
        improve(0, 1, 1, cost);
        if (to > 1) improve(1, 1, 2, joined(word, `${rightLower[to - 2]}${other}`));
        if (at > 1) improve(2, 2, 1, joined(other, `${lower[at - 2]}${word}`));
      }
      if (at > 0) improve(3, 1, 0, ALONE);
      if (to > 0) improve(4, 0, 1, ALONE);
    }
  }
  const path: Step[] = [];
  for (let at = left.length, to = right.length; at > 0 || to > 0; ) {
    const step = STEPS[steps[at * width + to]];
    path.push(step);
    at -= TAKES[step][0];
    to -= TAKES[step][1];
  }
  return path.reverse();
}

function lowerCase(word: string): string {
  return word.toLowerCase();
}

/** What it costs that a word became two, or two became one; nothing that is possible where they have too little in common. */
function joined(word: string, two: string): number {
  const longer = Math.max(word.length, two.length);
  if (Math.abs(word.length - two.length) > JOINED_DIFFERENCE * longer) return Number.POSITIVE_INFINITY;
  const distance = wordDistance(word, two);
  return distance > JOINED_DIFFERENCE ? Number.POSITIVE_INFINITY : JOINED + REPLACED * distance;
}
