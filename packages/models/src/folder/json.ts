import { invalidFolder, quote, type RefusalDetails } from './refusal.js';

/** Parses a file's JSON. Throws `INVALID_MODEL_FOLDER` naming the line and column of the first mistake. */
export function parseJson(text: string, file: string, details: RefusalDetails = {}): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const at = firstMistake(text);
    const before = text.slice(0, at).split('\n');
    const line = before.length;
    const column = (before.at(-1) as string).length + 1;
    const mistake = at < text.length ? `unexpected ${quote(text[at])}` : 'it ends too early';
    throw invalidFolder(
      `${file} is not valid JSON: ${mistake} at line ${line}, column ${column}. Fetch or create the file again.`,
      { ...details, file, received: { line, column }, required: 'JSON' },
      cause,
    );
  }
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

/**
 * Index at which `text` stops being JSON. JSON.parse does not say so for every mistake.
 *
 * Keeps its own stack, so that deep nesting cannot overflow the call stack.
 */
function firstMistake(text: string): number {
  const closers: string[] = [];
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
    while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at++;
    const char = text[at];
    if (char === undefined) return at;
    const mayClose = expected === 'next' || expected === 'firstValue' || expected === 'firstKey';
    if (mayClose && closers.length > 0 && char === closers.at(-1)) {
      closers.pop();
      at++;
      expected = 'next';
    } else if (expected === 'next') {
      if (char !== ',' || closers.length === 0) return at;
      at++;
      expected = closers.at(-1) === '}' ? 'key' : 'value';
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
      closers.push(char === '{' ? '}' : ']');
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
