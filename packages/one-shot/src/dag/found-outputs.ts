import { topK } from '@foretoken/core';
import { logAdd } from '../log-add.js';

/** An output, cut where the request cuts it, scored over all paths that say it. */
export interface ScoredOutput {
  /** Without start and end token. */
  readonly tokenIds: readonly number[];
  /** Natural-log probability of the output: the sum over all paths that were followed. */
  readonly logProb: number;
  /** What outputs are ranked by: fused with the n-gram model's score and divided by the length. */
  readonly score: number;
  /** The end token after it is more probable than that the path ends with it. */
  readonly ended: boolean;
}

/** Paths of one length that say an output. */
export interface SaidOutput {
  readonly logProb: number;
  /** The n-gram model's score. */
  readonly fused: number;
  /** Vertices that say output, start and end token. */
  readonly length: number;
  readonly ended: boolean;
}

interface Entry {
  readonly tokenIds: readonly number[];
  logProb: number;
  /** Fused with the n-gram model's score. */
  sum: number;
  /** The most probable paths, by which length counts. */
  most: SaidOutput;
  score: number;
}

/** Adds up what different paths say alike, and knows the best so far. */
export class FoundOutputs {
  readonly #count: number;
  readonly #lengthPenalty: number;
  readonly #entries = new Map<string, Entry>();

  /** `count` outputs are wanted. */
  constructor(count: number, lengthPenalty: number) {
    this.#count = count;
    this.#lengthPenalty = lengthPenalty;
  }

  add(tokenIds: readonly number[], said: SaidOutput): void {
    const sum = said.logProb + said.fused;
    if (sum === Number.NEGATIVE_INFINITY) return;
    const key = tokenIds.join();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const score = sum / said.length ** this.#lengthPenalty;
      this.#entries.set(key, { tokenIds, logProb: said.logProb, sum, most: said, score });
      return;
    }
    entry.logProb = logAdd(entry.logProb, said.logProb);
    entry.sum = logAdd(entry.sum, sum);
    if (sum > entry.most.logProb + entry.most.fused) entry.most = said;
    entry.score = entry.sum / entry.most.length ** this.#lengthPenalty;
  }

  /** Score of the last output that would be returned now; `-Infinity` while there are fewer than wanted. */
  worst(): number {
    const ranked = this.#ranked();
    return ranked.length < this.#count ? Number.NEGATIVE_INFINITY : (ranked.at(-1) as Entry).score;
  }

  /** Best first; among equals what was found first. */
  best(): ScoredOutput[] {
    return this.#ranked().map(({ tokenIds, logProb, score, most: { ended } }) => ({ tokenIds, logProb, score, ended }));
  }

  #ranked(): Entry[] {
    const entries = [...this.#entries.values()];
    const scores = Float64Array.from(entries, ({ score }) => score);
    return Array.from(topK(scores, this.#count), (index) => entries[index] as Entry);
  }
}
