import { flag, text as readText } from '@foretoken/core/kit';
import { endsStatement, isCodeLine, LONGEST_STATEMENT } from './code-lines.js';
import { isDataLine } from './command-lines.js';
import { DataLines } from './data-lines.js';
import { areVerse, isItem } from './open-ends.js';
import { isSpace, matchesIn, type Span, STRETCH } from './spans.js';
import { Wrapping } from './wrapping.js';

const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
const AT_LINE_BREAK = /^(?:\r\n|[\n\v\f\r\u0085\u2028\u2029])/;
/**
 * What marks a heading, a list, a quotation or a cell: white space follows it, and it belongs to no sentence. Mail programs quote
 * without white space too.
 */
const MARK = /(?:[-*+•‣–—]|\d{1,3}[.)]|#{1,6}|\[[ xX]\]|\|)(?=\s)|>{1,4096}(?=[\s\p{L}])/uy;
const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
/** A tag that opens a line, and the one that then closes it, as far as `LOOK` units show. */
const OPENING_TAG = /^<\p{L}[^<>\n]{0,300}>/u;
const CLOSING_TAG = /<\/\p{L}[^<>\n]{0,300}>$/u;
const LOOK = 400;
const LETTER = /\p{L}/u;
const BAR = 0x7c;

/** What of a line may hold sentences. */
export interface Prose extends Span {
  /**
   * It ends as the writer ends it, often without a full stop: a heading, a line in capitals, the cells of a table, an item of a list, a
   * value of data, a line of verse.
   */
  readonly title: boolean;
}

/** What a heading opens with, and units that show it; what closes a cell is looked for in as many. */
const HEADING = /(?:^|\s)#{1,6}\s/;
const SHOWN = 16;
const SMALL = /\p{Ll}/u;

/** What tells lines of code from prose, one line after the other, such as `FencedCode`. */
type Code = Pick<FencedCode, 'holds'>;

/** Tells lines of fenced code, and of data as YAML has it, from prose, one after the other; the lines of the fences are code too. */
export class FencedCode {
  readonly #data = new DataLines();
  #fence: string | undefined;

  /** Throws `INVALID_ARGUMENT` for anything but a string. */
  holds(line: string): boolean {
    const fence = FENCE.exec(readText('line', line))?.[1];
    if (this.#fence === undefined) {
      this.#fence = fence;
      return this.#data.read(line) === 'data' || fence !== undefined;
    }
    if (fence?.startsWith(this.#fence) === true && line.trim() === fence) this.#fence = undefined;
    return true;
  }
}

/**
 * What of each line may hold sentences: without indentation, marks of lists and headings, and white space at the end. Lines that
 * one sentence was wrapped into are one (see `Wrapping`). Yields between parts of the text.
 *
 * Throws `INVALID_ARGUMENT` where `code` answers with anything but true or false.
 */
export function* proseLines(text: string, code: Code = new FencedCode()): Generator<undefined, Prose[], undefined> {
  const found: Prose[] = [];
  const wrapping = new Wrapping(text);
  const data = new DataLines();
  /** Lines of prose that are neighbours, without a blank line between: the first, as an index. */
  let paragraph = 0;
  const closeParagraph = (): void => {
    if (areVerse(text, found.slice(paragraph)))
      for (let at = paragraph; at < found.length; at++) found[at] = { ...found[at], title: true };
    paragraph = found.length;
  };
  for (const line of linesOf(text)) {
    yield;
    if (line === undefined) continue;
    const whole = text.slice(line.start, line.end);
    const isCode = flag('What code.holds returns', code.holds(whole));
    const read = data.read(whole, following(text, line.end));
    let start = yield* opened(text, line);
    let end = yield* closed(text, { start, end: line.end });
    const statement = isStatement(text, { start, end });
    if (typeof read === 'object') start = Math.min(end, line.start + read.keyLength);
    const tag = OPENING_TAG.exec(text.slice(start, Math.min(end, start + LOOK)))?.[0];
    const closing =
      tag === undefined ? undefined : CLOSING_TAG.exec(text.slice(Math.max(start + tag.length, end - LOOK), end))?.[0];
    if (tag !== undefined && closing !== undefined) {
      start += tag.length;
      end -= closing.length;
    }
    if (isCode || read === 'data' || statement || !(yield* hasLetter(text, { start, end }))) {
      wrapping.interrupt();
      closeParagraph();
    } else if (wrapping.goesOn(line, { start, end })) {
      found[found.length - 1] = { start: found[found.length - 1].start, end, title: false };
    } else found.push({ start, end, title: read !== 'prose' || isTitle(text, line, { start, end }) });
  }
  closeParagraph();
  return found;
}

/** What follows a line in the text, in whole lines, as far as `LOOK` units show. */
function following(text: string, end: number): string {
  const shown = text.slice(end, end + LOOK).replace(AT_LINE_BREAK, '');
  return end + LOOK < text.length ? shown.slice(0, shown.lastIndexOf('\n') + 1) : shown;
}

function isTitle(text: string, line: Span, { start, end }: Span): boolean {
  return (
    (end - start <= LONGEST_STATEMENT && (!SMALL.test(text.slice(start, end)) || isItem(text, line, { start, end }))) ||
    HEADING.test(text.slice(Math.max(line.start, start - SHOWN), start)) ||
    text.slice(end, Math.min(line.end, end + SHOWN)).includes('|')
  );
}

/** Whether what a line holds is code; of a long one its ends tell. */
function isStatement(text: string, { start, end }: Span): boolean {
  if (end - start <= LONGEST_STATEMENT) {
    const line = text.slice(start, end);
    return isDataLine(line) || isCodeLine(line);
  }
  const tail = text.slice(end - LONGEST_STATEMENT, end);
  return endsStatement(tail) || isDataLine(text.slice(start, start + LONGEST_STATEMENT) + tail);
}

/** Lines without their ends; nothing between parts of the text. */
function* linesOf(text: string): Generator<Span | undefined, void, undefined> {
  let start = 0;
  for (const ending of matchesIn(text, LINE_BREAK, 2)) {
    if (ending === undefined) yield;
    else {
      yield { start, end: ending.start };
      start = ending.end;
    }
  }
  yield { start, end: text.length };
}

/** Where a line begins after white space and marks. */
function* opened(text: string, { start, end }: Span): Generator<undefined, number, undefined> {
  // A mark is at the beginning of a line or after white space; the last unit of a line is none, since white space follows it.
  for (let at = start; at < end; ) {
    if (isSpace(text.charCodeAt(at))) {
      at++;
      if (at % STRETCH === 0) yield;
      continue;
    }
    MARK.lastIndex = at;
    const mark = MARK.exec(text)?.[0];
    if (mark === undefined || at + mark.length >= end) return at;
    at += mark.length;
    yield;
  }
  return end;
}

/** Where a line ends before white space, and before bars that close a cell. */
function* closed(text: string, { start, end }: Span): Generator<undefined, number, undefined> {
  for (let at = end; at > start; ) {
    if (at % STRETCH === 0) yield;
    const unit = text.charCodeAt(at - 1);
    if (isSpace(unit)) at--;
    else if (unit === BAR && at - 1 > start && isSpace(text.charCodeAt(at - 2))) at -= 2;
    else return at;
  }
  return start;
}

function* hasLetter(text: string, { start, end }: Span): Generator<undefined, boolean, undefined> {
  for (let at = start; at < end; at += STRETCH) {
    // One unit more, since a letter may have two.
    if (LETTER.test(text.slice(at, Math.min(end, at + STRETCH + 1)))) return true;
    yield;
  }
  return false;
}
