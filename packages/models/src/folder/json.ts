import { foreignContent } from './foreign-content.js';
import { invalidFolder, quote, type RefusalDetails } from './refusal.js';

/** Most levels of lists and objects in one another: far more than any file needs, far fewer than any stack holds. */
export const MAX_NESTING = 200;

/**
 * Parses a file's JSON. Throws `INVALID_MODEL_FOLDER` naming the line and column of the first mistake, or where it is nested
 * deeper than whatever reads, copies or prints the value could follow.
 */
export function parseJson(text: string, file: string, details: RefusalDetails = {}): unknown {
  const deep = nestedTooDeep(text);
  try {
    if (deep === undefined) return JSON.parse(text);
    if (firstMistake(text) !== undefined) throw new SyntaxError('Not valid, and deep besides.');
  } catch (cause) {
    const foreign = foreignContent(text);
    if (foreign !== undefined) {
      throw invalidFolder(`${file} is not valid JSON: it is ${foreign}`, { ...details, file, required: 'JSON' }, cause);
    }
    const at = firstMistake(text) ?? text.length;
    const { line, column } = placeOf(text, at);
    const mistake = at < text.length ? `unexpected ${quote(text[at])}` : 'it ends too early';
    throw invalidFolder(
      `${file} is not valid JSON: ${mistake} at line ${line}, column ${column}. Fetch or create the file again.`,
      { ...details, file, received: { line, column }, required: 'JSON' },
      cause,
    );
  }
  const { line, column } = placeOf(text, deep);
  throw invalidFolder(
    `${file} nests lists and objects more than ${MAX_NESTING} deep, at line ${line}, column ${column}. Fetch or create the file again, with less in one another.`,
    { ...details, file, received: { line, column }, required: `at most ${MAX_NESTING} levels` },
  );
}

/** Decodes UTF-8. Throws `INVALID_MODEL_FOLDER` for other bytes. */
export function decodeUtf8(bytes: Uint8Array, file: string, details: RefusalDetails = {}): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidFolder(
      `${file} is not UTF-8 text. Fetch or create the file again.`,
      { ...details, file, required: 'UTF-8' },
      cause,
    );
  }
}

/** A parsed JSON object, as opposed to an array, null or a bare value. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** Lines and columns count from 1. */
function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let begin = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', begin)) {
    line++;
    begin = end + 1;
  }
  return { line, column: at - begin + 1 };
}

/** Index of the bracket that is one too many, in one pass and before the parser takes memory for any. */
function nestedTooDeep(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      do {
        at = text.indexOf('"', at + 1);
        if (at < 0) return undefined;
      } while (isEscaped(text, at));
    } else if (code === BRACKET || code === BRACE) {
      if (++depth > MAX_NESTING) return at;
    } else if (code === BRACKET + 2 || code === BRACE + 2) depth--;
  }
  return undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// The closing ones come two places later.
const BRACKET = 0x5b;
const BRACE = 0x7b;

function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from - 1) === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

/**
 * Index at which `text` stops being JSON; undefined where it is JSON. JSON.parse does not say so for every mistake.
 *
 * Keeps its own stack, so that deep nesting cannot overflow the call stack.
 */
function firstMistake(text: string): number | undefined {
  // Of each open bracket whether it is a brace.
  const braces = new Uint8Array(text.length);
  let open = 0;
  let at = 0;
  // What may come next: a value, a key, a colon, or what follows a value.
  let expected: 'value' | 'firstValue' | 'key' | 'firstKey' | 'colon' | 'next' = 'value';
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at++;
    const char = text[at];
    if (char === undefined) return expected === 'next' && open === 0 ? undefined : at;
    const mayClose = expected === 'next' || expected === 'firstValue' || expected === 'firstKey';
    const inBrace = open > 0 && braces[open - 1] === 1;
    if (mayClose && open > 0 && char === (inBrace ? '}' : ']')) {
      open--;
      at++;
      expected = 'next';
    } else if (expected === 'next') {
      if (char !== ',' || open === 0) return at;
      at++;
      expected = inBrace ? 'key' : 'value';
    } else if (expected === 'colon') {
      if (char !== ':') return at;
      at++;
      expected = 'value';
    } else if (expected === 'key' || expected === 'firstKey') {
      if (char !== '"') return at;
      const end = stringEnd(text, at);
      if (!end.closed) return end.at;
      at = end.at;
      expected = 'colon';
    } else if (char === '{' || char === '[') {
      braces[open++] = char === '{' ? 1 : 0;
      at++;
      expected = char === '{' ? 'firstKey' : 'firstValue';
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (!end.closed) return end.at;
      at = end.at;
      expected = 'next';
    } else if (match(NUMBER) || match(WORD)) expected = 'next';
    else return at;
  }
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Index after the string that starts at `start`, or of the mistake in it. */
function stringEnd(text: string, start: number): { readonly at: number; readonly closed: boolean } {
  let at = start + 1;
  for (;;) {
    const char = text[at];
    if (char === undefined || char < ' ') return { at, closed: false };
    if (char === '"') return { at: at + 1, closed: true };
    if (char === '\\') {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return { at, closed: false };
      at = ESCAPE.lastIndex;
    } else at++;
  }
}
