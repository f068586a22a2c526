import { isSpace, type Span, STRETCH } from './spans.js';

/** A part of a text that a model reads at once. */
export interface Piece {
  /** What the model reads: white space between words as single spaces. */
  readonly text: string;
  /** Where each unit of `text` is in the whole text, and where the piece ends; `[text.length + 1]`. */
  readonly places: Int32Array;
  /** Where of the whole text this piece decides: what changes outside of it is another piece's matter, or nobody's. */
  readonly core: Span;
  /** The sentence goes on where the piece ends, so that a full stop there is none of the writer's. */
  readonly goesOn?: boolean | undefined;
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
/** Units of a text whose tokens are counted; more are more than any model reads at once. */
const LONGEST = 4_096;
/** Units in which ends of sentences are looked for at once, and those at their end that may say where a sentence does not end. */
const LOOK = 4 * STRETCH;
const LOOK_AHEAD = 1_024;

/** Units at the end of a sentence that tell whether it does end there. */
const TAIL = 16;
/** A full stop after one of these, or after an initial, ends no sentence where a word follows. */
const ABBREVIATED =
  /(?:^|[^\p{L}\p{N}])(?:\p{Lu}|Mr|Mrs|Ms|Mx|Dr|Prof|St|Rev|Hon|Gen|Col|Capt|Lt|Sgt|Gov|Sen|Rep|Pres|Mt|No|Nr|Fig|Figs|Eq|Vol|Ch|Sec|Art|pp|vs|cf|viz|approx|dept|e\.g|i\.e|eg|ie|ca|al)\.\s*$/u;
/** Line ends of wrapped text end no sentence. */
const LINE_ENDS = /[\n\v\f\r\u0085\u2028\u2029]/g;

type Steps<Result> = Generator<undefined, Result, undefined>;

/** Tokens of pieces. */
export interface PieceSizes {
  /** Of the longest sentence that is read whole. */
  readonly max: number;
  /** Of sentences that are read together, and of what a longer sentence is cut into. */
  readonly usual: number;
}

/**
 * Cuts a line into pieces of so many tokens: between sentences where that is possible, else between words, with words in
 * common. What is too long by itself, such as a word of a thousand letters, is in no piece. Yields between parts of the line.
 */
export function* piecesOf(text: string, line: Span, count: CountTokens, sizes: PieceSizes): Steps<Pieces> {
  const fits = ({ text: read }: Piece, max: number): boolean => read.length <= LONGEST && count(read) <= max;
  const whole = yield* piece(text, line, LONGEST);
  if (fits(whole, sizes.usual)) return { pieces: [whole], tooLong: [] };
  const pieces: Piece[] = [];
  const tooLong: Span[] = [];
  let open: Piece | undefined;
  for (const sentence of sentencesOf(text, line)) {
    yield;
    if (sentence === undefined) continue;
    if (open !== undefined) {
      const longer: Piece = joined(open, yield* piece(text, { start: open.core.end, end: sentence.end }, LONGEST));
      if (fits(longer, sizes.usual)) {
        open = longer;
        continue;
      }
      pieces.push(open);
    }
    open = yield* piece(text, sentence, LONGEST);
    if (fits(open, sizes.max)) continue;
    yield* windows(text, sentence, count, sizes, pieces, tooLong);
    open = undefined;
  }
  if (open !== undefined) pieces.push(open);
  return { pieces, tooLong };
}

/** Sentences without the white space around them; nothing where a look found the end of none. */
function* sentencesOf(text: string, { start, end }: Span): Generator<Span | undefined, void, undefined> {
  let begin = start;
  for (let from = start; from < end; ) {
    const to = Math.min(end, from + LOOK);
    const known = to === end ? end : to - LOOK_AHEAD;
    let last = from;
    for (const { index, segment } of SENTENCES.segment(text.slice(from, to).replace(LINE_ENDS, ' '))) {
      const close = from + index + segment.length;
      if (close > known) break;
      last = close;
      if (close < end && ABBREVIATED.test(text.slice(Math.max(begin, close - TAIL), close))) continue;
      const sentence = yield* trimmed(text, { start: begin, end: close });
      if (sentence.end > sentence.start) yield sentence;
      begin = close;
    }
    // Where no sentence ends, the look goes on from a word.
    from = last > from ? last : yield* wordBefore(text, from, known);
    yield;
  }
}

function* trimmed(text: string, { start, end }: Span): Steps<Span> {
  let first = start;
  while (first < end && isSpace(text.charCodeAt(first))) if (++first % STRETCH === 0) yield;
  let last = end;
  while (last > first && isSpace(text.charCodeAt(last - 1))) if (--last % STRETCH === 0) yield;
  return { start: first, end: last };
}

/** Where the last word begins before `end`, if it begins after `start`; else `end`. */
function* wordBefore(text: string, start: number, end: number): Steps<number> {
  for (let at = end; at > start + 1; at--) {
    if (isSpace(text.charCodeAt(at - 1)) && !isSpace(text.charCodeAt(at))) return at;
    if (at % STRETCH === 0) yield;
  }
  return end;
}

function* wordsOf(text: string, { start, end }: Span): Generator<Span | undefined, void, undefined> {
  for (let from = start, to = start; from < end; from = to) {
    const space = isSpace(text.charCodeAt(from));
    while (to < end && isSpace(text.charCodeAt(to)) === space) if (++to % STRETCH === 0) yield;
    if (!space) yield { start: from, end: to };
  }
}

/** Pieces of a sentence that is too long, each with the last words of the one before; words in no piece go to `tooLong`. */
function* windows(
  text: string,
  sentence: Span,
  count: CountTokens,
  { max, usual }: PieceSizes,
  pieces: Piece[],
  tooLong: Span[],
): Steps<void> {
  const words: Span[] = [];
  const sizes: number[] = [];
  for (const word of wordsOf(text, sentence)) {
    if (word !== undefined) {
      const { start, end } = word;
      words.push(word);
      // A word counts, also where a tokenizer reads nothing in it.
      sizes.push(end - start > LONGEST ? Number.POSITIVE_INFINITY : Math.max(1, count(` ${text.slice(start, end)}`)));
    }
    yield;
  }
  /** The first word that no piece decides about yet. */
  let decided = 0;
  while (decided < words.length) {
    yield;
    // A word that takes half of the room is no word of a sentence, and ends what is read together.
    if (sizes[decided] > max / 2) {
      tooLong.push(words[decided++]);
      continue;
    }
    let first = decided;
    let total = 0;
    // What was decided before is read again, as far as it leaves most of the room to what was not.
    while (first > 0 && decided - first < SHARED_WORDS / 2 && total + sizes[first - 1] <= usual / 4) {
      total += sizes[--first];
    }
    let last = decided;
    while (last < words.length && (last === decided || total + sizes[last] <= usual) && sizes[last] <= max / 2) {
      total += sizes[last++];
    }
    const follows = last < words.length && sizes[last] <= max / 2;
    // Half of the shared words are this piece's to decide; at least one word is, so that there is an end to it.
    const next = follows ? Math.max(decided + 1, last - SHARED_WORDS / 2) : last;
    const span = { start: words[first].start, end: words[last - 1].end };
    // Where a sentence was cut and nothing is shared, a full stop or a capital at the cut is none of the writer's.
    const opens = first === decided ? (first === 0 ? span.start : span.start + 1) : words[decided].start;
    const closes = follows ? words[next].start - 1 : span.end;
    const goesOn = last < words.length;
    pieces.push({ ...(yield* piece(text, span)), core: { start: opens, end: closes }, goesOn });
    decided = next;
  }
}

/** White space of any length is one space for the model. Of a text of more units than `max` it reads little more. */
function* piece(text: string, core: Span, max: number = Number.POSITIVE_INFINITY): Steps<Piece> {
  const read: string[] = [];
  const places: number[] = [];
  let open = false;
  for (let at = core.start; at < core.end && read.length <= max; at++) {
    if (at % STRETCH === 0) yield;
    const space = isSpace(text.charCodeAt(at));
    if (space && open) continue;
    open = space;
    read.push(space ? ' ' : text[at]);
    places.push(at);
  }
  places.push(core.end);
  return { text: read.join(''), places: Int32Array.from(places), core };
}

/** Two pieces that lie next to each other, as one. */
function joined(one: Piece, other: Piece): Piece {
  const places = new Int32Array(one.text.length + other.places.length);
  places.set(one.places.subarray(0, -1));
  places.set(other.places, one.text.length);
  return { text: one.text + other.text, places, core: { start: one.core.start, end: other.core.end } };
}
