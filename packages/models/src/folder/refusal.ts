import { ForetokenError } from '@foretoken/core';
import { thrownWords } from '@foretoken/core/kit';
import { isNestedDeeper } from './nesting.js';

/** Most levels of lists and objects that errors hold as they are. */
const MAX_DEPTH = 24;
const SHOWN_DEPTH = 8;
const SHOWN_CHARACTERS = 80;

/** What a refusal of a folder's content speaks of. */
export interface RefusalDetails {
  /** The folder that was read. */
  readonly folder?: string | undefined;
  /** The file in it. */
  readonly file?: string | undefined;
  /** The field or tensor in the file. */
  readonly field?: string | undefined;
  /** What stood there. */
  readonly received?: unknown;
  /** What must stand there. */
  readonly required?: unknown;
}

/** An `INVALID_MODEL_FOLDER` error: the content is missing, malformed, damaged or reaches outside its folder. */
export function invalidFolder(message: string, details: RefusalDetails, cause?: unknown): ForetokenError {
  return new ForetokenError('INVALID_MODEL_FOLDER', escaped(message), printable(details), { cause });
}

/** An `UNSUPPORTED_MODEL` error: the content is well formed, but this release does not know how to use it. */
export function unsupportedModel(message: string, details: RefusalDetails, cause?: unknown): ForetokenError {
  return new ForetokenError('UNSUPPORTED_MODEL', escaped(message), printable(details), { cause });
}

/** Details that can be printed: what a file holds may be nested so deep that nothing prints it. */
function printable(details: RefusalDetails): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, printableValue(value)]));
}

/** A value, or words for one that is nested so deep that nothing prints it. */
export function printableValue(value: unknown): unknown {
  return typeof value === 'object' && isNestedDeeper(value, MAX_DEPTH) ? quote(value) : value;
}

/** A message on one line: the name of a folder or a file may hold characters that terminals and logs obey. */
export function escaped(message: string): string {
  return message.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** An untrusted value for a message: quoted, short, without control characters that could rewrite a terminal. */
export function quote(value: unknown): string {
  const text = toText(value, SHOWN_DEPTH);
  const short = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** As JSON.stringify, but for what lies too deep, and for long lists and objects, of which the beginning is enough. */
function toText(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (depth === 0) return `${begin}...${end}`;
  const parts: string[] = [];
  let length = 0;
  for (const [key, inner] of Object.entries(value)) {
    if (length > SHOWN_CHARACTERS) break;
    const text = toText(inner, depth - 1);
    parts.push(Array.isArray(value) ? text : `${JSON.stringify(key)}:${text}`);
    length += text.length + key.length;
  }
  return `${begin}${parts.join(',')}${end}`;
}

/** The code of a failed system call, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** An error's own words. */
export function reason(error: unknown): string {
  return thrownWords(error);
}
