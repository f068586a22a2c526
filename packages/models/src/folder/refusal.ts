import { ForetokenError } from '@foretoken/core';

/** What a refusal of a folder's content speaks of. */
export interface RefusalDetails {
  readonly folder?: string;
  readonly file?: string;
  readonly field?: string;
  readonly received?: unknown;
  readonly required?: unknown;
}

/** An `INVALID_MODEL_FOLDER` error: the content is missing, malformed, damaged or reaches outside its folder. */
export function invalidFolder(message: string, details: RefusalDetails, cause?: unknown): ForetokenError {
  return new ForetokenError('INVALID_MODEL_FOLDER', message, { ...details }, cause === undefined ? {} : { cause });
}

/** An `UNSUPPORTED_MODEL` error: the content is well formed, but this release does not know how to use it. */
export function unsupportedModel(message: string, details: RefusalDetails): ForetokenError {
  return new ForetokenError('UNSUPPORTED_MODEL', message, { ...details });
}

/** An untrusted value for a message: quoted, short, without control characters that could rewrite a terminal. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  const short = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** The code of a failed system call, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** An error's own words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
