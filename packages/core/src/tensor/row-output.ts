import type { DecodeRequest } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { FinishReason, Hypothesis } from '../contract/events.js';

/** Where one row's output stands and when it is over: every left-to-right strategy cuts through this one place. */
export class RowOutput {
  readonly #tokenIds: number[] = [];
  readonly #endTokenId: number;
  readonly #limit: number;
  readonly #stopSequences: readonly Int32Array[];
  #finishReason: FinishReason | undefined;

  /** `limit` is the most output tokens, the end token not counted; see `outputLimit`. */
  constructor(endTokenId: number, limit: number, stopSequences: readonly Int32Array[] = []) {
    this.#endTokenId = endTokenId;
    this.#limit = limit;
    this.#stopSequences = stopSequences;
  }

  get length(): number {
    return this.#tokenIds.length;
  }

  get finishReason(): FinishReason | undefined {
    return this.#finishReason;
  }

  /** Takes the next token; false when it (or an earlier one) ended the output. The end token is not kept. */
  push(tokenId: number): boolean {
    if (this.#finishReason !== undefined) return false;
    if (tokenId === this.#endTokenId) {
      this.#finishReason = 'end-token';
      return false;
    }
    this.#tokenIds.push(tokenId);
    if (this.#stopSequences.some((sequence) => this.#endsWith(sequence))) this.#finishReason = 'stop-sequence';
    else if (this.#tokenIds.length >= this.#limit) this.#finishReason = 'length';
    return this.#finishReason === undefined;
  }

  /** A copy of the output from position `from` on, `[length - from]`. */
  tokenIds(from = 0): Int32Array {
    return Int32Array.from(from === 0 ? this.#tokenIds : this.#tokenIds.slice(from));
  }

  hypothesis(score?: number): Hypothesis {
    const finishReason = this.#finishReason ?? 'length';
    return score === undefined
      ? { tokenIds: this.tokenIds(), finishReason }
      : { tokenIds: this.tokenIds(), finishReason, score };
  }

  #endsWith(sequence: Int32Array): boolean {
    const offset = this.#tokenIds.length - sequence.length;
    return offset >= 0 && sequence.every((tokenId, index) => this.#tokenIds[offset + index] === tokenId);
  }
}

/**
 * Most output tokens of a row: what was asked for, at most what the model can hold.
 *
 * The last output token is never fed back, so a path of `maxLength` nodes yields one token more than it has room for.
 * Throws `LENGTH_LIMIT` when the prefix alone is too long.
 */
export function outputLimit(maxLength: number, prefixLength: number, request: DecodeRequest<unknown>): number {
  const room = maxLength - prefixLength + 1;
  if (room < 1) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `The prefix has ${prefixLength} tokens, but the model holds at most ${maxLength}.`,
      { received: prefixLength, most: maxLength },
    );
  }
  return Math.min(room, request.maxNewTokens ?? room);
}
