import { type ErrorCode, ForetokenError } from '@foretoken/core';
import { thrownWords } from '@foretoken/core/kit';

export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** What the user can put right: arguments, input text, the model folder. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'UNSUPPORTED_CAPABILITY',
  'EMPTY_SOURCE',
  'SOURCE_TOO_LONG',
  'LENGTH_LIMIT',
  'INVALID_MODEL_FOLDER',
  'UNSUPPORTED_MODEL',
]);

/** What is wrong with one line of input only; the next line may be fine. */
const ROW_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['EMPTY_SOURCE', 'SOURCE_TOO_LONG', 'LENGTH_LIMIT']);

/** An `INVALID_ARGUMENT` error about the command line. */
export function usageError(message: string, details: Readonly<Record<string, unknown>> = {}): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message, details);
}

export function exitCodeOf(error: unknown): number {
  return ForetokenError.isInstance(error) && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failure;
}

export function isRowError(error: unknown): error is ForetokenError {
  return ForetokenError.isInstance(error) && ROW_CODES.has(error.code);
}

/** How an error looks in JSON. */
export interface ErrorRecord {
  /** An `ErrorCode`, or `UNEXPECTED` for what nobody foresaw. */
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export function errorRecord(error: unknown): ErrorRecord {
  if (ForetokenError.isInstance(error)) return { code: error.code, message: error.message, details: error.details };
  return { code: 'UNEXPECTED', message: thrownWords(error), details: {} };
}

/** The same error, its message and details saying which input line it is about. */
export function onLine(error: ForetokenError, line: number): ForetokenError {
  return new ForetokenError(error.code, `Line ${line}: ${error.message}`, { ...error.details, line }, { cause: error });
}
