import { assertOutputTokens } from '../contract/checks.js';
import type { DecodeRequest } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { FinishReason, Hypothesis } from '../contract/events.js';
import type { Vocabulary } from '../contract/vocabulary.js';

/** The stop conditions of a request. */
export type StopConditions = Pick<DecodeRequest<unknown>, 'stopSequences' | 'stopStrings'>;

/** Where one row's output stands and when it is over: every left-to-right strategy cuts through this one place. */
export class RowOutput {
  readonly #tokenIds: number[] = [];
  readonly #endTokenId: number;
  readonly #limit: number;
  readonly #stops: StopConditions;
  #finishReason: FinishReason | undefined;

  /** `limit` is the most output tokens, the end token not counted; see `outputLimit`. */
  constructor(endTokenId: number, limit: number, stops: StopConditions = {}) {
    this.#endTokenId = endTokenId;
    this.#limit = limit;
    this.#stops = stops;
  }

  get length(): number {
    return this.#tokenIds.length;
  }

  /** The output so far; it grows with `push`. */
  get tokens(): readonly number[] {
    return this.#tokenIds;
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
    this.#finishReason = stopReason(this.#tokenIds, this.#limit, this.#stops);
    return this.#finishReason === undefined;
  }

  /** The same output, to go on with independently. */
  fork(): RowOutput {
    const copy = new RowOutput(this.#endTokenId, this.#limit, this.#stops);
    copy.#tokenIds.push(...this.#tokenIds);
    copy.#finishReason = this.#finishReason;
    return copy;
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
}

/** Why an output that did not end with the end token is over, or undefined while it may go on. */
export function stopReason(
  tokenIds: readonly number[],
  limit: number,
  { stopSequences, stopStrings }: StopConditions,
): FinishReason | undefined {
  if (stopSequences?.some((sequence) => endsWith(tokenIds, sequence))) return 'stop-sequence';
  if (stopStrings !== undefined && stopStrings.strings.length > 0) {
    // The whole text, since a token may change how the one before it reads; the first token to complete a stop string
    // ends the output, so a string found now was not there before.
    const text = stopStrings.textOf(Int32Array.from(tokenIds));
    if (stopStrings.strings.some((string) => text.includes(string))) return 'stop-string';
  }
  return tokenIds.length >= limit ? 'length' : undefined;
}

function endsWith(tokenIds: readonly number[], sequence: Int32Array): boolean {
  const offset = tokenIds.length - sequence.length;
  return offset >= 0 && sequence.every((tokenId, index) => tokenIds[offset + index] === tokenId);
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

/**
 * The output a row starts with: what the request makes it begin with. It may be over at once, by a stop or the limit.
 *
 * `least` is the number of tokens the row must have room for. Throws `INVALID_ARGUMENT`, `LENGTH_LIMIT`.
 */
export function startOutput(
  row: number,
  prefixLength: number,
  model: { readonly maxLength: number; readonly vocabulary: { readonly endTokenId: number } },
  request: DecodeRequest<unknown>,
  least = 0,
): RowOutput {
  const limit = outputLimit(model.maxLength, prefixLength, request);
  if (least > limit) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `minNewTokens is ${least}, but the output of row ${row} has at most ${limit} tokens.`,
      { option: 'minNewTokens', row, received: least, most: limit },
    );
  }
  const output = new RowOutput(model.vocabulary.endTokenId, limit, request);
  const forced = request.outputPrefixes?.[row] ?? [];
  for (const [index, tokenId] of forced.entries()) {
    if (tokenId !== model.vocabulary.endTokenId && (output.push(tokenId) || index === forced.length - 1)) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The output prefix of row ${row} has ${forced.length} tokens, but its output is over after ${output.length}.`,
      { option: 'outputPrefixes', row, received: forced.length, length: output.length },
    );
  }
  return output;
}

/** Where an output that is known as a whole ends, by the rule of `RowOutput`; `complete` where nothing cuts it. */
export function cutOutput(
  tokenIds: Iterable<number>,
  endTokenId: number,
  request: DecodeRequest<unknown>,
): { readonly tokenIds: Int32Array; readonly finishReason: FinishReason } {
  const output = new RowOutput(endTokenId, request.maxNewTokens ?? Number.POSITIVE_INFINITY, request);
  for (const tokenId of tokenIds) if (!output.push(tokenId)) break;
  return { tokenIds: output.tokenIds(), finishReason: output.finishReason ?? 'complete' };
}

/**
 * Throws `INVALID_ARGUMENT` for an output prefix with a token that no output holds or after which the output is over, and
 * `LENGTH_LIMIT` for one longer than `most`.
 */
export function assertOutputPrefixes(
  request: DecodeRequest<unknown>,
  vocabulary: Vocabulary,
  maskTokenId: number,
  most: number,
): void {
  for (const [row, prefix] of (request.outputPrefixes ?? []).entries()) {
    assertOutputTokens('outputPrefixes', row, prefix, vocabulary, maskTokenId, most);
    const { tokenIds, finishReason } = cutOutput(prefix, vocabulary.endTokenId, request);
    if (tokenIds.length === prefix.length) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The output prefix of row ${row} has ${prefix.length} tokens, but the output is over after ${tokenIds.length} (${finishReason}).`,
      { option: 'outputPrefixes', row, received: prefix.length, finishReason },
    );
  }
}
