import type { DecodeRequest } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { FinishReason, Hypothesis } from '../contract/events.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { assertOutputTokens } from './checks.js';
import { append } from './long-lists.js';
import { OutputBounds, type StopConditions, type StopProgress } from './output-bounds.js';

/** Where one row's output stands and when it is over: every left-to-right strategy cuts through this one place. */
export class RowOutput {
  #bounds: OutputBounds;
  readonly #tokenIds: number[] = [];
  #progress: StopProgress;
  #finishReason: FinishReason | undefined;

  /**
   * `max` is the most output tokens, the end token not counted; see `outputLimit`. Stop conditions that are met with fewer
   * tokens than `min` do not end the output.
   */
  constructor(endTokenId: number | undefined, max: number, stops: StopConditions = {}, min = 0) {
    this.#bounds = new OutputBounds(endTokenId, max, stops, min);
    this.#progress = this.#bounds.start;
  }

  /** What ends it besides the end token. */
  get bounds(): OutputBounds {
    return this.#bounds;
  }

  /** Output tokens so far. */
  get length(): number {
    return this.#tokenIds.length;
  }

  /** The output so far; it grows with `push`. */
  get tokens(): readonly number[] {
    return this.#tokenIds;
  }

  /** How far it has come towards its stop conditions. */
  get progress(): StopProgress {
    return this.#progress;
  }

  /** What ended the output; undefined while it grows. */
  get finishReason(): FinishReason | undefined {
    return this.#finishReason;
  }

  /** Takes the next token; false when it (or an earlier one) ended the output. The end token is not kept. */
  push(tokenId: number): boolean {
    if (this.#finishReason !== undefined) return false;
    if (tokenId === this.#bounds.endTokenId) {
      this.#finishReason = 'end-token';
      return false;
    }
    this.#tokenIds.push(tokenId);
    this.#progress = this.#bounds.push(this.#progress, tokenId);
    this.#finishReason = this.#bounds.reason(this.#tokenIds.length, this.#progress);
    return this.#finishReason === undefined;
  }

  /** The same output, to go on with independently. */
  fork(): RowOutput {
    const copy = new RowOutput(this.#bounds.endTokenId, this.#bounds.max);
    copy.#bounds = this.#bounds;
    append(copy.#tokenIds, this.#tokenIds);
    copy.#progress = this.#progress;
    copy.#finishReason = this.#finishReason;
    return copy;
  }

  /** A copy of the output from position `from` on, `[length - from]`. */
  tokenIds(from = 0): Int32Array {
    const tokenIds = new Int32Array(Math.max(0, this.#tokenIds.length - from));
    for (let at = 0; at < tokenIds.length; at++) tokenIds[at] = this.#tokenIds[from + at];
    return tokenIds;
  }

  /** The output as a hypothesis, with a score where one is given; its arrays belong to the caller. */
  hypothesis(score?: number): Hypothesis {
    const finishReason = this.#finishReason ?? 'length';
    return score === undefined
      ? { tokenIds: this.tokenIds(), finishReason }
      : { tokenIds: this.tokenIds(), finishReason, score };
  }
}

/**
 * Most output tokens of a row: the `given` ones that the request makes it begin with and as many new ones as were asked for, at
 * most what the model can hold.
 *
 * The last output token is never fed back, so a path of `maxLength` nodes yields one token more than it has room for.
 * Throws `LENGTH_LIMIT` when the prefix alone is too long.
 */
export function outputLimit(
  maxLength: number,
  prefixLength: number,
  request: Pick<RowCuts, 'maxNewTokens'>,
  given = 0,
): number {
  const room = maxLength - prefixLength + 1;
  if (room < 1) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `The prefix has ${prefixLength} tokens, but the model holds at most ${maxLength}.`,
      { received: prefixLength, max: maxLength },
    );
  }
  return Math.min(room, given + (request.maxNewTokens ?? room));
}

/** What of a request cuts the output of one row. */
export interface RowCuts extends StopConditions {
  /** Most new tokens of the row. */
  readonly maxNewTokens?: number | undefined;
}

/** What of a request cuts the output of this row. */
export function rowCuts(request: Cuts, row: number): RowCuts {
  const { maxNewTokens, stopSequences, stopStrings } = request;
  return {
    maxNewTokens: ofRow(maxNewTokens, row),
    stopSequences,
    stopStrings,
  };
}

/** What a request says of one row by a number for all rows, or one a row. */
export function ofRow(numbers: number | readonly number[] | undefined, row: number): number | undefined {
  return typeof numbers === 'object' ? numbers[row] : numbers;
}

type Cuts = Pick<DecodeRequest<unknown>, 'maxNewTokens' | 'stopSequences' | 'stopStrings'>;

/** Output tokens that a request gives a row to begin with. */
export function givenTokens({ outputPrefixes }: DecodeRequest<unknown>, row: number): number {
  return outputPrefixes?.[row]?.length ?? 0;
}

/**
 * The output a row starts with: what the request makes it begin with. It may be over at once, by a stop or because the model
 * has no room for more. No stop ends it before it has the request's `minNewTokens`.
 *
 * Throws `INVALID_ARGUMENT`, also where there is no room for so many, and `LENGTH_LIMIT`.
 */
export function startOutput(
  row: number,
  prefixLength: number,
  model: { readonly maxLength: number; readonly vocabulary: { readonly endTokenId?: number | undefined } },
  request: DecodeRequest<unknown>,
): RowOutput {
  const given = givenTokens(request, row);
  const limit = outputLimit(model.maxLength, prefixLength, rowCuts(request, row), given);
  if (given > limit) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `The output prefix of row ${row} has ${given} tokens, but the model has room for ${limit}.`,
      { option: 'outputPrefixes', row, received: given, max: limit },
    );
  }
  const minNewTokens = ofRow(request.minNewTokens, row) ?? 0;
  if (minNewTokens > limit - given) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `minNewTokens is ${minNewTokens}, but the output of row ${row} has room for ${limit - given} new tokens.`,
      { option: 'minNewTokens', row, received: minNewTokens, max: limit - given },
    );
  }
  // Without a minimum a stop may end an output within what is given.
  const min = minNewTokens === 0 ? 0 : given + minNewTokens;
  const output = new RowOutput(model.vocabulary.endTokenId, limit, request, min);
  for (const tokenId of request.outputPrefixes?.[row] ?? []) {
    const open = tokenId !== model.vocabulary.endTokenId && output.finishReason === undefined;
    if (open) output.push(tokenId);
    else throw overWithin(row, given, output.length);
  }
  return output;
}

function overWithin(row: number, given: number, length: number): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    `The output prefix of row ${row} has ${given} tokens, but its output is over after ${length}.`,
    { option: 'outputPrefixes', row, received: given, length },
  );
}

/**
 * Where an output that is known as a whole ends, by the rule of `RowOutput`; `complete` where nothing cuts it. The first
 * `given` of its tokens are not new ones.
 */
export function cutOutput(
  tokenIds: Iterable<number>,
  endTokenId: number | undefined,
  cuts: RowCuts,
  given = 0,
): { readonly tokenIds: Int32Array; readonly finishReason: FinishReason } {
  const output = new RowOutput(endTokenId, given + (cuts.maxNewTokens ?? Number.POSITIVE_INFINITY), cuts);
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
  max: number | ((row: number) => number),
): void {
  for (const [row, prefix] of (request.outputPrefixes ?? []).entries()) {
    assertOutputTokens(
      'outputPrefixes',
      row,
      prefix,
      vocabulary,
      maskTokenId,
      typeof max === 'number' ? max : max(row),
    );
    const { length } = cutOutput(prefix, vocabulary.endTokenId, rowCuts(request, row), prefix.length).tokenIds;
    if (length < prefix.length) throw overWithin(row, prefix.length, length);
  }
}
