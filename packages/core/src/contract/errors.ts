/**
 * Stable identities of everything that can go wrong; messages may be reworded, codes may not.
 *
 * - `INVALID_ARGUMENT`: an option or input is unknown, of a wrong type, out of range, or contradicts another.
 * - `UNSUPPORTED_CAPABILITY`: a strategy needs what the model cannot do; nothing was computed.
 * - `EMPTY_SOURCE`, `SOURCE_TOO_LONG`: a source has no tokens, or more than the model has positions for.
 * - `LENGTH_LIMIT`: a tree would grow deeper than the model has positions for.
 * - `INVALID_NODE`: a parent is unknown, released or belongs to another row; or the row is finished.
 * - `UNSATISFIABLE_CONSTRAINT`: nothing can be output: the rules of a decode, the model or both leave every token at
 *   probability 0, or no hypothesis can meet the rules.
 * - `INVALID_SCORES`: a model, or a rule of yours, gave a score that is NaN or +Infinity; `details` names row and position.
 * - `INVALID_DRAFT`: a drafter broke its contract.
 * - `INVALID_MODEL_FOLDER`: a model folder is missing, malformed, damaged, reaches outside itself, or was changed or replaced
 *   since it was loaded.
 * - `NETWORK_FAILURE`: a server could not be reached, failed, or broke off; trying again may help. `details.reason` says which.
 * - `UNSUPPORTED_MODEL`: a well-formed model of a family, format version or feature this release does not know.
 * - `RUNTIME_FAILURE`: the native runtime, or a disk that is full, refused or failed; `cause` has its own words.
 * - `DISPOSED`: the object was used after it was released, or released during the call.
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNSUPPORTED_CAPABILITY'
  | 'EMPTY_SOURCE'
  | 'SOURCE_TOO_LONG'
  | 'LENGTH_LIMIT'
  | 'INVALID_NODE'
  | 'UNSATISFIABLE_CONSTRAINT'
  | 'INVALID_SCORES'
  | 'INVALID_DRAFT'
  | 'INVALID_MODEL_FOLDER'
  | 'NETWORK_FAILURE'
  | 'UNSUPPORTED_MODEL'
  | 'RUNTIME_FAILURE'
  | 'DISPOSED';

// A global symbol recognises our errors even when two copies of this package are loaded.
const MARKER: symbol = Symbol.for('foretoken.error');

/** Every error Foretoken throws on purpose: a code to branch on, a message to read, the data behind it. */
export class ForetokenError extends Error {
  /** What kind of error it is; stable, while the message may be reworded. */
  readonly code: ErrorCode;
  /** Values the message speaks of: the option or file, what was received, what is required. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    { cause }: { readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ForetokenError';
    this.code = code;
    this.details = details;
    Object.defineProperty(this, MARKER, { value: true });
  }

  static isInstance(value: unknown): value is ForetokenError {
    return typeof value === 'object' && value !== null && MARKER in value;
  }
}
