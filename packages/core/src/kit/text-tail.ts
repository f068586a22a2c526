import { ForetokenError } from '../contract/errors.js';
import type { StopStrings } from '../contract/scoring.js';
import { largest } from './long-lists.js';

/** Tokens at the end of a window that always stay in it. */
const RECENT = 4;
/** Tokens before them that stay so that these do not stand at the beginning: the last that left a mark on the text. */
const MARKED = 2;
/**
 * A window longer than this is cut even where its text cannot be told apart from what stood before; and of the tokens that
 * left no mark on the text, such as blanks that may yet show, as many stay at most.
 */
const LONGEST = 8 * RECENT;

/** Tokens of a window with their text. */
interface Window {
  readonly tokenIds: readonly number[];
  /** Whether the text changed with each token. */
  readonly marks: readonly boolean[];
  readonly text: string;
}

/**
 * The end of an output's text, kept up to date token by token; immutable, so that hypotheses may share it.
 *
 * For a new token only a window of the last tokens is decoded, so an output costs as much as its length. It suffices because
 * what a token adds to a text depends on few tokens before it. The first characters of a window may read differently than in
 * the whole text: decoders leave out a space at the beginning, and a character may consist of several tokens. These
 * characters are known from the window before.
 */
export class TextTail {
  static readonly EMPTY: TextTail = new TextTail({ tokenIds: [], marks: [], text: '' }, '', 0, '');
  readonly #window: Window;
  /** The last characters that stand before the window's text. */
  readonly #before: string;
  /** Characters of the window's text that `#before` has already. */
  readonly #skipped: number;
  /** The window's text without what the next tokens will change: a character of which tokens are missing. */
  readonly #settled: string;

  private constructor(window: Window, before: string, skipped: number, settled: string) {
    this.#window = window;
    this.#before = before;
    this.#skipped = skipped;
    this.#settled = settled;
  }

  /**
   * The tail after one more token, and whether this token completed one of the strings.
   *
   * Throws `INVALID_ARGUMENT` where the text is not a string.
   */
  push(tokenId: number, stops: StopStrings): { readonly tail: TextTail; readonly completes: boolean } {
    const { strings } = stops;
    const tokenIds = [...this.#window.tokenIds, tokenId];
    const text = textOf(tokenIds, stops);
    const whole = this.#before + text.slice(this.#skipped);
    const known = this.#before.length + Math.max(0, sharedStart(this.#settled, text) - this.#skipped);
    // A string that ends within what was known is not this token's.
    const completes = strings.some((string) => whole.includes(string, Math.max(0, known - string.length + 1)));
    const marks = [...this.#window.marks, text !== this.#window.text];
    const clean = withoutHalf(text);
    const settled = clean.length === text.length || clean.startsWith(this.#settled) ? clean : this.#settled;
    const grown = new TextTail({ tokenIds, marks, text }, this.#before, this.#skipped, settled);
    return { tail: grown.#shortened(stops), completes };
  }

  /** The same tail with a shorter window, where this one has become long and can be cut. */
  #shortened(stops: StopStrings): TextTail {
    const { tokenIds, text } = this.#window;
    const mustCut = tokenIds.length > LONGEST;
    const mayCut = tokenIds.length > 2 * RECENT && this.#settled === text;
    if (!mustCut && !mayCut) return this;
    // A window that begins inside a character of several tokens may be unreadable; one of the next begins before it.
    for (let recent = RECENT; recent < 2 * RECENT; recent++) {
      const cut = cutWindow(this.#window, recent, mustCut, stops);
      if (cut === undefined) return this;
      const shared = Math.min(sharedEnd(text, cut.text), text.length - this.#skipped);
      if (shared === 0 && text !== '' && !mustCut) continue;
      const before = this.#before + text.slice(this.#skipped, text.length - shared);
      const wanted = largest(stops.strings.map(({ length }) => length)) - 1;
      return new TextTail(cut, before.slice(Math.max(0, before.length - wanted)), cut.text.length - shared, cut.text);
    }
    return this;
  }
}

/** A text without the marks of unreadable bytes at its end: a character whose last tokens are yet to come reads so. */
function withoutHalf(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\uFFFD') end--;
  return text.slice(0, end);
}

/**
 * The last `recent` tokens of a window with those before them from a marked one on, or, where `unmarked` ones must go, without
 * these; `undefined` where that is the whole window.
 */
function cutWindow(
  { tokenIds, marks }: Window,
  recent: number,
  unmarked: boolean,
  stops: StopStrings,
): Window | undefined {
  const indices = Array.from(tokenIds.keys());
  const first = tokenIds.length - recent;
  const marked = indices.filter((index) => index < first && marks[index] === true).slice(-MARKED);
  const [begin = unmarked ? first : 0] = marked;
  const kept = unmarked ? [...marked, ...indices.slice(first)] : indices.slice(begin);
  if (kept.length === tokenIds.length) return undefined;
  const left = kept.map((index) => tokenIds[index]);
  return { tokenIds: left, marks: kept.map((index) => marks[index]), text: textOf(left, stops) };
}

function textOf(tokenIds: readonly number[], stops: StopStrings): string {
  const text: unknown = stops.textOf(Int32Array.from(tokenIds));
  if (typeof text === 'string') return text;
  const received = text instanceof Promise ? 'a promise' : String(text);
  throw new ForetokenError('INVALID_ARGUMENT', `stopStrings.textOf must return a string, but returned ${received}.`, {
    option: 'stopStrings',
    received: text,
  });
}

/** Characters that both texts begin with. */
function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Characters that both texts end with. */
function sharedEnd(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}
