import { type DecodeRequest, RowOutput } from '@foretoken/core';

/** Where a growing output stands, and whether a request cuts it there; immutable. */
export interface OutputEnd {
  readonly length: number;
  /** The limit or a stop ends the output here. */
  readonly over: boolean;
  /** What stops are looked for in, where there are any. */
  readonly output?: RowOutput;
}

/**
 * Where limit and stops of a request cut outputs, by the rule of `RowOutput`. Searches ask while outputs grow: whatever would
 * follow a cut is one output, with the sum of all probabilities.
 */
export class OutputEnds {
  /** No output yet. */
  readonly start: OutputEnd;
  readonly endTokenId: number;
  readonly #limit: number;

  constructor(request: DecodeRequest<unknown>, endTokenId: number) {
    const { maxNewTokens, stopSequences, stopStrings } = request;
    this.endTokenId = endTokenId;
    this.#limit = maxNewTokens ?? Number.POSITIVE_INFINITY;
    const stops = (stopSequences?.length ?? 0) > 0 || (stopStrings?.strings.length ?? 0) > 0;
    const start = { length: 0, over: false };
    this.start = stops ? { ...start, output: new RowOutput(endTokenId, this.#limit, request) } : start;
  }

  /** After one more token, which is not the end token. */
  after({ length, output }: OutputEnd, tokenId: number): OutputEnd {
    if (output === undefined) return { length: length + 1, over: length + 1 >= this.#limit };
    const longer = output.fork();
    const over = !longer.push(tokenId);
    return { length: length + 1, over, output: longer };
  }
}
