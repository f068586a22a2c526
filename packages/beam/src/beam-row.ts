import { type DecodeRequest, type FinishReason, type Hypothesis, noTokenLeft, stopReason } from '@foretoken/core';
import { type Branch, commonPrefix, grow, type RowSearch, type ScoredBranch } from './branch.js';
import type { Normalise } from './length-penalty.js';

/** When a beam search may stop; see `BeamSearchOptions.stopWhen`. */
export type StopWhen = 'improvement-unlikely' | 'full' | 'improvement-impossible';

export interface BeamSettings {
  readonly beamSize: number;
  /** Hypotheses to return. */
  readonly hypotheses: number;
  /** Finished hypotheses at which the beam is full. */
  readonly finished: number;
  readonly stopWhen: StopWhen;
  readonly normalise: Normalise;
  /** Whether a longer output can raise the score of a given log-probability. */
  readonly longerMayWin: boolean;
  readonly endTokenId: number;
}

/** A hypothesis that is over. */
export interface Finished {
  readonly output: readonly number[];
  readonly logProb: number;
  readonly score: number;
  readonly finishReason: FinishReason;
}

/** One continuation among those of all branches. */
export interface Continuation {
  readonly from: ScoredBranch;
  readonly tokenId: number;
  /** Of the whole hypothesis. */
  readonly logProb: number;
  /** What it is chosen by: the log-probability, less what the search holds against the token. */
  readonly priority: number;
}

/**
 * Continuations of all branches, best first; ties go to the earlier branch, then to the lower token id. `against` is what
 * to hold against a token.
 */
export function bestContinuations(
  scored: readonly ScoredBranch[],
  count: number,
  against: (tokenId: number) => number = () => 0,
): Continuation[] {
  const all: Continuation[] = [];
  for (const from of scored) {
    const { tokenIds, logProbs } = from.candidates;
    for (let rank = 0; rank < tokenIds.length; rank++) {
      const tokenId = tokenIds[rank] as number;
      // Single precision, as the tensors of other implementations add up.
      const logProb = Math.fround(from.branch.logProb + (logProbs[rank] as number));
      if (logProb === Number.NEGATIVE_INFINITY) continue;
      all.push({ from, tokenId, logProb, priority: logProb - against(tokenId) });
    }
  }
  // Candidates come in order of branch and rank, and the sort is stable.
  return all.sort((a, b) => b.priority - a.priority).slice(0, count);
}

/** Finished hypotheses, best first, at most so many; the earlier one first among equals. */
export class FinishedList {
  readonly #most: number;
  #entries: Finished[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get entries(): readonly Finished[] {
    return this.#entries;
  }

  get full(): boolean {
    return this.#entries.length >= this.#most;
  }

  add(entry: Finished): void {
    this.#entries = [...this.#entries, entry].sort((a, b) => b.score - a.score).slice(0, this.#most);
  }
}

/**
 * Beam search of one row: of all continuations of the running branches the best `2 * beamSize` are looked at; those that
 * end within the best `beamSize` are finished, and the best `beamSize` of the others run on. So the search keeps its width
 * even where half of the candidates end.
 */
export class BeamRow implements RowSearch {
  running: readonly Branch[];
  /** Tokens that the last step took, the end token included. */
  chosen: readonly number[] = [];
  readonly #row: number;
  readonly #settings: BeamSettings;
  readonly #finished: FinishedList;
  readonly #limit: number;
  readonly #stops: DecodeRequest<unknown>;
  /** Tokens the output was made to begin with; they do not count in its length. */
  readonly #forced: number;

  constructor(row: number, root: Branch, limit: number, settings: BeamSettings, request: DecodeRequest<unknown>) {
    this.#row = row;
    this.running = [root];
    this.#settings = settings;
    this.#finished = new FinishedList(settings.finished);
    this.#limit = limit;
    this.#stops = request;
    this.#forced = root.output.length;
  }

  step(scored: readonly ScoredBranch[], against?: (tokenId: number) => number): void {
    const { beamSize } = this.#settings;
    const best = bestContinuations(scored, 2 * beamSize, against);
    const running: Branch[] = [];
    const chosen: number[] = [];
    for (const [rank, continuation] of best.entries()) {
      const finished = this.#finish(continuation);
      if (finished === undefined) {
        if (running.length === beamSize) continue;
        running.push(advance(continuation));
      } else if (rank < beamSize) {
        this.#finished.add(finished);
      } else {
        continue;
      }
      chosen.push(continuation.tokenId);
    }
    this.running = running;
    this.chosen = chosen;
    if (running.length > 0 && this.#mayStop(running[0] as Branch)) this.running = [];
    if (this.running.length === 0 && this.#finished.entries.length === 0) {
      throw noTokenLeft(this.#row, scored[0]?.branch.output.length ?? 0);
    }
  }

  settled(): readonly number[] {
    return commonPrefix([...this.running, ...this.#finished.entries].map(({ output }) => output));
  }

  provisional(): readonly number[] {
    const [running] = this.running;
    const [finished] = this.#finished.entries;
    if (running === undefined || finished === undefined) return (running ?? finished)?.output ?? [];
    const score = this.#settings.normalise(running.logProb, running.output.length - this.#forced);
    return score > finished.score ? running.output : finished.output;
  }

  /** Finished hypotheses, best first. */
  get finished(): readonly Finished[] {
    return this.#finished.entries;
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#finished.entries.slice(0, this.#settings.hypotheses).map(toHypothesis);
  }

  /** The finished hypothesis a continuation makes, or undefined where it runs on. */
  #finish({ from, tokenId, logProb }: Continuation): Finished | undefined {
    const { endTokenId, normalise } = this.#settings;
    const { output } = from.branch;
    const score = normalise(logProb, output.length + 1 - this.#forced);
    if (tokenId === endTokenId) return { output, logProb, score, finishReason: 'end-token' };
    const grown = [...output, tokenId];
    const finishReason = stopReason(grown, this.#limit, this.#stops);
    return finishReason === undefined ? undefined : { output: grown, logProb, score, finishReason };
  }

  #mayStop(best: Branch): boolean {
    const { stopWhen, normalise, longerMayWin } = this.#settings;
    if (!this.#finished.full) return false;
    if (stopWhen === 'full') return true;
    const atLimit = stopWhen === 'improvement-impossible' && longerMayWin;
    const length = (atLimit ? this.#limit : best.output.length) - this.#forced;
    const worst = this.#finished.entries.at(-1)?.score ?? Number.NEGATIVE_INFINITY;
    return normalise(best.logProb, length) <= worst;
  }
}

/** The branch of a continuation that runs on. */
export function advance({ from, tokenId, logProb }: Continuation): Branch {
  return grow(from.branch, from.leaf, tokenId, logProb);
}

export function toHypothesis({ output, logProb, score, finishReason }: Finished): Hypothesis {
  return { tokenIds: Int32Array.from(output), score, logProb, finishReason };
}
