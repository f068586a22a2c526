import { logSumExp, number, type OptionTable, sampleToken, truncateSurprise } from '@foretoken/core/kit';

/** Mirostat v2: keeps the surprise of what is drawn near a target (Basu et al., 2021, algorithm 2). */
export interface MirostatOptions {
  /** Target surprise a token, in bits (the paper's tau). */
  readonly surprise: number;
  /** Step with which the bound follows the surprise observed (the paper's eta), default 0.1. */
  readonly rate?: number | undefined;
}

export const MIROSTAT_OPTIONS: OptionTable<MirostatOptions> = {
  surprise: number(0, Number.MAX_VALUE, true),
  rate: number(0, 1),
};

/** The draws of one decode: each hypothesis has a bound on surprise, in bits, that follows what was drawn of it. */
export class Mirostat {
  readonly #target: number;
  readonly #rate: number;
  readonly #bounds = new WeakMap<object, number>();

  constructor({ surprise, rate = 0.1 }: MirostatOptions) {
    this.#target = surprise;
    this.#rate = rate;
  }

  /** The next token of a hypothesis, -1 where none is possible; truncates the scores. */
  draw(scores: Float32Array, uniform: number, hypothesis: object): number {
    const bound = this.#bounds.get(hypothesis) ?? 2 * this.#target;
    truncateSurprise(scores, bound);
    const tokenId = sampleToken(scores, uniform);
    if (tokenId < 0) return tokenId;
    const surprise = (logSumExp(scores) - scores[tokenId]) / Math.LN2;
    this.#bounds.set(hypothesis, bound - this.#rate * (surprise - this.#target));
    return tokenId;
  }
}
