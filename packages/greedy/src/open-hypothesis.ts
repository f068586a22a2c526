import type { Alternatives, Hypothesis, NodeId, RowStart, ScoringContext } from '@foretoken/core';
import type { RowOutput } from '@foretoken/core/kit';
import { joinTokens } from '@foretoken/core/kit';

/** A token, and what was asked to be known of it. */
export interface Chosen {
  readonly tokenId: number;
  /** Natural-log probability under the model alone. */
  readonly logProb?: number | undefined;
  readonly alternatives?: Alternatives | undefined;
}

/** A hypothesis that still grows: its output, the node it goes on from, and the tokens that are not nodes yet. */
export class OpenHypothesis implements ScoringContext {
  readonly row: number;
  readonly prefix: Int32Array;
  /** Which of the row's samples this is, counted from 0. */
  readonly sample: number;
  readonly rowOutput: RowOutput;
  /** Deepest node. */
  last: NodeId;
  /** Tokens to add below `last`: what is still to be read of the prefix at first, then the token chosen last. */
  next: Int32Array;
  readonly #logProbs: number[] = [];
  readonly #alternatives: Alternatives[] = [];

  constructor(row: number, start: RowStart, sample: number, rowOutput: RowOutput) {
    this.row = row;
    this.prefix = start.prefix;
    this.last = start.node;
    this.sample = sample;
    this.rowOutput = rowOutput;
    this.next = joinTokens(start.prefix.subarray(start.cached), rowOutput.tokens);
  }

  get output(): readonly number[] {
    return this.rowOutput.tokens;
  }

  /** Takes the next token; false when it ended the hypothesis. */
  push({ tokenId, logProb, alternatives }: Chosen): boolean {
    if (logProb !== undefined) this.#logProbs.push(logProb);
    if (alternatives !== undefined) this.#alternatives.push(alternatives);
    this.next = Int32Array.of(tokenId);
    return this.rowOutput.push(tokenId);
  }

  /** Sum of natural-log probabilities of the chosen tokens, the end token's included; 0 where they were not asked for. */
  get logProb(): number {
    return this.#logProbs.reduce((sum, logProb) => sum + logProb, 0);
  }

  /** What to report of it; `scores` and `tokenLogProbs` say whether the log-probabilities are part of it. */
  finished(scores: boolean, tokenLogProbs: boolean): Hypothesis {
    return {
      ...this.rowOutput.hypothesis(scores ? this.logProb : undefined),
      tokenLogProbs: tokenLogProbs ? Float32Array.from(this.#logProbs) : undefined,
      alternatives: this.#alternatives.length > 0 ? this.#alternatives : undefined,
    };
  }
}
