import type { FinishReason, Hypothesis } from '@foretoken/core';
import type { OutputBounds } from '@foretoken/core/kit';
import { type Branch, logProbsOf, type Trail } from './branch.js';
import type { Normalise } from './length-penalty.js';

/** When a beam search may stop; see `BeamSearchOptions.stopWhen`. */
export type StopWhen = 'improvement-unlikely' | 'full' | 'improvement-impossible';

/** What decides whether a search may stop. */
export interface StopSettings {
  readonly stopWhen: StopWhen;
  readonly normalise: Normalise;
  /** Whether a longer output can raise the score of a given log-probability. */
  readonly longerMayWin: boolean;
  /** Whether rules may make a hypothesis more probable as it grows. */
  readonly mayRaise: boolean;
}

/** A hypothesis that is over. */
export interface Finished {
  /** Its output, without the end token. */
  readonly branch: Branch;
  readonly logProb: number;
  readonly score: number;
  readonly finishReason: FinishReason;
  /** What the model alone says of its tokens, the end token's last, where that is to be reported. */
  readonly trail?: Trail | undefined;
}

/** Finished hypotheses, best first, at most so many; the earlier one first among equals. */
export class FinishedList {
  readonly #max: number;
  #entries: Finished[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get entries(): readonly Finished[] {
    return this.#entries;
  }

  get branches(): readonly Branch[] {
    return this.#entries.map(({ branch }) => branch);
  }

  add(entry: Finished): void {
    this.#entries = [...this.#entries, entry].sort((a, b) => b.score - a.score).slice(0, this.#max);
  }

  /** The best as they are reported, at most `count`. */
  hypotheses(count: number): Hypothesis[] {
    return this.#entries.slice(0, count).map(toHypothesis);
  }

  /**
   * Whether the search may stop with this list, however the running branches, at least one, go on. `given` is the number of
   * output tokens that do not count as length.
   */
  maySuffice(running: readonly Branch[], { max }: OutputBounds, given: number, settings: StopSettings): boolean {
    const { stopWhen, normalise, longerMayWin, mayRaise } = settings;
    if (this.#entries.length < this.#max) return false;
    if (stopWhen === 'full') return true;
    // No bound is known then: the search goes on to the length limit.
    if (stopWhen === 'improvement-impossible' && mayRaise) return false;
    const best = running.reduce((a, b) => (b.logProb > a.logProb ? b : a));
    const length = stopWhen === 'improvement-impossible' && longerMayWin ? max : best.length;
    const worst = this.#entries.at(-1)?.score ?? Number.NEGATIVE_INFINITY;
    return normalise(best.logProb, length - given) <= worst;
  }
}

export function toHypothesis({ branch, logProb, score, finishReason, trail }: Finished): Hypothesis {
  const tokenLogProbs = trail && logProbsOf(trail);
  return { tokenIds: branch.tokenIds(), score, logProb, tokenLogProbs, finishReason };
}
