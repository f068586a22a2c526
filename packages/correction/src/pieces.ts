import { type Span, spansOf } from './spans.js';

/** A part of a text that a model reads at once. */
export interface Piece {
  /** What the model reads: white space between words as single spaces. */
  readonly text: string;
  /** Where each unit of `text` is in the whole text, and where the piece ends; `[text.length + 1]`. */
  readonly places: Int32Array;
  /** Where of the whole text this piece decides: what changes outside of it is another piece's matter, or nobody's. */
  readonly core: Span;
}

/** What a line was cut into. */
export interface Pieces {
  readonly pieces: readonly Piece[];
  /** Words that are in no piece. */
  readonly tooLong: readonly Span[];
}

/** How many tokens a text has; infinite where it is too long to say. */
export type CountTokens = (text: string) => number;

/** Words that neighbouring pieces share where a sentence had to be cut, so that neither decides at its own end. */
const SHARED_WORDS = 12;
const SENTENCES: Intl.Segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/**
 * Cuts a line into pieces of so many tokens at most: between sentences where that is possible, else between words, with words
 * in common. What is too long by itself, such as a word of a thousand letters, is in no piece.
 */
export function piecesOf(text: string, line: Span, count: CountTokens, max: number): Pieces {
  const whole = piece(text, line);
  if (count(whole.text) <= max) return { pieces: [whole], tooLong: [] };
  const pieces: Piece[] = [];
  const tooLong: Span[] = [];
  let open: Piece | undefined;
  for (const sentence of sentencesOf(text, line)) {
    const longer: Piece | undefined = open && piece(text, { start: open.core.start, end: sentence.end });
    if (longer !== undefined && count(longer.text) <= max) {
      open = longer;
      continue;
    }
    if (open !== undefined) pieces.push(open);
    open = piece(text, sentence);
    if (count(open.text) <= max) continue;
    pieces.push(...windows(text, sentence, count, max, tooLong));
    open = undefined;
  }
  if (open !== undefined) pieces.push(open);
  return { pieces, tooLong };
}

/** Sentences without the white space around them. */
function sentencesOf(text: string, { start, end }: Span): Span[] {
  return Array.from(SENTENCES.segment(text.slice(start, end)), ({ index, segment }) => {
    const first = start + index + (segment.length - segment.trimStart().length);
    return { start: first, end: first + segment.trim().length };
  }).filter((sentence) => sentence.end > sentence.start);
}

/** Pieces of a sentence that is too long, each with the last words of the one before; words in no piece go to `tooLong`. */
function windows(text: string, sentence: Span, count: CountTokens, max: number, tooLong: Span[]): Piece[] {
  const words = spansOf(text.slice(sentence.start, sentence.end), /\S+/g).map(({ start, end }) => ({
    start: start + sentence.start,
    end: end + sentence.start,
  }));
  const sizes = words.map(({ start, end }) => count(` ${text.slice(start, end)}`));
  const pieces: Piece[] = [];
  /** The first word that no piece decides about yet. */
  let decided = 0;
  while (decided < words.length) {
    // A word that takes half of the room is no word of a sentence, and ends what is read together.
    if (sizes[decided] > max / 2) {
      tooLong.push(words[decided++]);
      continue;
    }
    let first = decided;
    let total = 0;
    // What was decided before is read again, as far as it leaves most of the room to what was not.
    while (first > 0 && decided - first < SHARED_WORDS / 2 && total + sizes[first - 1] <= max / 4) {
      total += sizes[--first];
    }
    let last = decided;
    while (last < words.length && total + sizes[last] <= max && sizes[last] <= max / 2) {
      total += sizes[last++];
    }
    const follows = last < words.length && sizes[last] <= max / 2;
    // Half of the shared words are this piece's to decide; at least one word is, so that there is an end to it.
    const next = follows ? Math.max(decided + 1, last - SHARED_WORDS / 2) : last;
    const span = { start: words[first].start, end: words[last - 1].end };
    // Where a sentence was cut and nothing is shared, a full stop or a capital at the cut is none of the writer's.
    const opens = first === decided ? (first === 0 ? span.start : span.start + 1) : words[decided].start;
    const closes = follows ? words[next].start - 1 : last === words.length ? span.end : span.end - 1;
    pieces.push({ ...piece(text, span), core: { start: opens, end: closes } });
    decided = next;
  }
  return pieces;
}

/** White space of any length is one space for the model. */
function piece(text: string, core: Span): Piece {
  const read: string[] = [];
  const places: number[] = [];
  for (let at = core.start; at < core.end; at++) {
    const unit = text[at];
    const space = /\s/.test(unit);
    if (space && read.at(-1) === ' ') continue;
    read.push(space ? ' ' : unit);
    places.push(at);
  }
  places.push(core.end);
  return { text: read.join(''), places: Int32Array.from(places), core };
}
