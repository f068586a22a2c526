import type { DecodeRequest } from '../contract/decoder.js';
import type { FinishReason } from '../contract/events.js';
import { TextTail } from './text-tail.js';
import { TokenPattern } from './token-pattern.js';

/** The stop conditions of a request. */
export type StopConditions = Pick<DecodeRequest<unknown>, 'stopSequences' | 'stopStrings'>;

/** How far an output has come towards the stop conditions; immutable, so that hypotheses may share it. */
export interface StopProgress {
  /** What its last token completed. */
  readonly met?: 'stop-sequence' | 'stop-string' | undefined;
  /** How much of each stop sequence stands at its end. */
  readonly standing: Int32Array;
  /** The end of the output's text. */
  readonly tail: TextTail;
}

/** What ends the outputs of a row besides the end token: the same for all its hypotheses. */
export class OutputBounds {
  readonly endTokenId: number | undefined;
  /** Most output tokens, the end token not counted. */
  readonly max: number;
  /** Stop conditions that an output meets with fewer tokens do not end it. */
  readonly min: number;
  /** The progress of an empty output. */
  readonly start: StopProgress;
  readonly #stops: StopConditions;
  readonly #patterns: readonly TokenPattern[];
  readonly #strings: boolean;

  constructor(endTokenId: number | undefined, max: number, stops: StopConditions = {}, min = 0) {
    this.endTokenId = endTokenId;
    this.max = max;
    this.min = min;
    this.#stops = stops;
    this.#patterns = (stops.stopSequences ?? []).map((sequence) => new TokenPattern(sequence));
    this.#strings = (stops.stopStrings?.strings.length ?? 0) > 0;
    this.start = { standing: new Int32Array(this.#patterns.length), tail: TextTail.EMPTY };
  }

  /** The same with a lower limit. */
  limitedTo(max: number): OutputBounds {
    return new OutputBounds(this.endTokenId, Math.min(max, this.max), this.#stops, this.min);
  }

  /** Progress after one more token, not the end token. Throws `INVALID_ARGUMENT` for a text that is not a string. */
  push(progress: StopProgress, tokenId: number): StopProgress {
    if (this.#patterns.length === 0 && !this.#strings) return progress;
    const standing = progress.standing.map((before, index) => this.#patterns[index]?.after(before, tokenId) ?? 0);
    const sequence = standing.some((length, index) => length === this.#patterns[index]?.length);
    const { stopStrings } = this.#stops;
    const { tail, completes } =
      this.#strings && stopStrings !== undefined
        ? progress.tail.push(tokenId, stopStrings)
        : { tail: progress.tail, completes: false };
    if (sequence) return { met: 'stop-sequence', standing, tail };
    return completes ? { met: 'stop-string', standing, tail } : { standing, tail };
  }

  /** Why an output of so many tokens is over, or undefined while it may go on. */
  reason(length: number, { met }: StopProgress): FinishReason | undefined {
    if (met !== undefined && length >= this.min) return met;
    return length >= this.max ? 'length' : undefined;
  }
}
