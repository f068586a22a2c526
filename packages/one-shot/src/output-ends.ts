import { OutputBounds, type RowCuts, type StopProgress } from '@foretoken/core/kit';

/** Where a growing output stands, and whether a request cuts it there; immutable. */
export interface OutputEnd {
  readonly length: number;
  readonly progress: StopProgress;
  /** The limit or a stop ends the output here. */
  readonly over: boolean;
}

/**
 * Where limit and stops of a request cut the outputs of a row, by the rule of `RowOutput`. Searches ask while outputs grow: whatever would
 * follow a cut is one output, with the sum of all probabilities.
 */
export class OutputEnds {
  /** No output yet. */
  readonly start: OutputEnd;
  readonly endTokenId: number | undefined;
  readonly #bounds: OutputBounds;

  constructor(cuts: RowCuts, endTokenId: number | undefined) {
    this.#bounds = new OutputBounds(endTokenId, cuts.maxNewTokens ?? Number.POSITIVE_INFINITY, cuts);
    this.start = { length: 0, progress: this.#bounds.start, over: false };
    this.endTokenId = endTokenId;
  }

  /** After one more token, which is not the end token. */
  after(before: OutputEnd, tokenId: number): OutputEnd {
    const length = before.length + 1;
    const progress = this.#bounds.push(before.progress, tokenId);
    return { length, progress, over: this.#bounds.reason(length, progress) !== undefined };
  }
}
