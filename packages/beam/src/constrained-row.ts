import { type DecodeRequest, ForetokenError, type Hypothesis, stopReason } from '@foretoken/core';
import {
  advance,
  type BeamSettings,
  bestContinuations,
  type Continuation,
  FinishedList,
  toHypothesis,
} from './beam-row.js';
import { type Branch, commonPrefix, type RowSearch, type ScoredBranch } from './branch.js';
import { type Phrase, type PhraseProgress, phraseProgress } from './phrase-progress.js';

interface Constrained {
  readonly continuation: Continuation;
  readonly progress: PhraseProgress;
}

/**
 * Beam search of one row whose output must contain phrases, by dynamic beam allocation: hypotheses are kept in banks by
 * how many phrase tokens they hold, and the beam is shared out among the banks, so that hypotheses that say a phrase early
 * are not pushed out by more probable ones that never do (Post and Vilar, 2018, section 4).
 */
export class ConstrainedRow implements RowSearch {
  running: readonly Branch[];
  /** Of the running branches. */
  #progress: readonly PhraseProgress[];
  readonly #phrases: readonly Phrase[];
  readonly #row: number;
  readonly #settings: BeamSettings;
  readonly #finished: FinishedList;
  readonly #limit: number;
  readonly #stops: DecodeRequest<unknown>;
  readonly #forced: number;

  constructor(
    row: number,
    root: Branch,
    limit: number,
    settings: BeamSettings,
    phrases: readonly Phrase[],
    request: DecodeRequest<unknown>,
  ) {
    this.#row = row;
    this.running = [root];
    this.#phrases = phrases;
    this.#progress = [phraseProgress(phrases, root.output)];
    this.#settings = settings;
    this.#finished = new FinishedList(settings.finished);
    this.#limit = limit;
    this.#stops = request;
    this.#forced = root.output.length;
  }

  step(scored: readonly ScoredBranch[]): void {
    const { beamSize, endTokenId, normalise } = this.#settings;
    const goingOn: Constrained[] = [];
    for (const [rank, candidate] of this.#candidates(scored).entries()) {
      const { continuation, progress } = candidate;
      const { from, tokenId, logProb } = continuation;
      const { output } = from.branch;
      const score = normalise(logProb, output.length + 1 - this.#forced);
      if (tokenId === endTokenId) {
        if (progress.complete && rank < 2 * beamSize) {
          this.#finished.add({ output, logProb, score, finishReason: 'end-token' });
        }
        continue;
      }
      const grown = [...output, tokenId];
      const finishReason = stopReason(grown, this.#limit, this.#stops);
      if (finishReason === undefined) goingOn.push(candidate);
      else if (progress.complete) this.#finished.add({ output: grown, logProb, score, finishReason });
    }
    const kept = shareOut(goingOn, beamSize);
    this.running = kept.map(({ continuation }) => advance(continuation));
    this.#progress = kept.map(({ progress }) => progress);
    if (this.running.length > 0 && this.#mayStop()) this.running = [];
    if (this.running.length === 0 && this.#finished.entries.length === 0) {
      throw new ForetokenError(
        'UNSATISFIABLE_CONSTRAINT',
        `No hypothesis of row ${this.#row} says all the phrases within ${this.#limit} tokens. Raise maxNewTokens or the beam size.`,
        { option: 'phrases', row: this.#row, limit: this.#limit },
      );
    }
  }

  settled(): readonly number[] {
    return commonPrefix([...this.running, ...this.#finished.entries].map(({ output }) => output));
  }

  provisional(): readonly number[] {
    return (this.running[0] ?? this.#finished.entries[0])?.output ?? [];
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#finished.entries.slice(0, this.#settings.hypotheses).map(toHypothesis);
  }

  /** The most probable continuations of all, and every branch's continuations towards its phrases; best first. */
  #candidates(scored: readonly ScoredBranch[]): Constrained[] {
    const { beamSize } = this.#settings;
    const found = new Map<string, Constrained>();
    const consider = (continuation: Continuation, index: number): void => {
      const key = `${index}:${continuation.tokenId}`;
      if (found.has(key)) return;
      const { output } = continuation.from.branch;
      const ends = continuation.tokenId === this.#settings.endTokenId;
      const progress = phraseProgress(this.#phrases, ends ? output : [...output, continuation.tokenId]);
      found.set(key, { continuation, progress });
    };
    for (const continuation of bestContinuations(scored, 2 * beamSize)) {
      consider(continuation, scored.indexOf(continuation.from));
    }
    for (const [index, from] of scored.entries()) {
      for (const tokenId of (this.#progress[index] as PhraseProgress).wanted) {
        const step = from.logProbs?.[tokenId] as number;
        if (step === Number.NEGATIVE_INFINITY) continue;
        const logProb = Math.fround(from.branch.logProb + step);
        consider({ from, tokenId, logProb, priority: logProb }, index);
      }
      const [best] = bestContinuations([from], 1);
      if (best !== undefined) consider(best, index);
    }
    return [...found.values()].sort((a, b) => b.continuation.logProb - a.continuation.logProb);
  }

  #mayStop(): boolean {
    const { stopWhen, normalise, longerMayWin } = this.#settings;
    if (!this.#finished.full) return false;
    if (stopWhen === 'full') return true;
    const best = this.running.reduce((a, b) => (b.logProb > a.logProb ? b : a));
    const length = stopWhen === 'improvement-impossible' && longerMayWin ? this.#limit : best.output.length;
    const worst = this.#finished.entries.at(-1)?.score ?? Number.NEGATIVE_INFINITY;
    return normalise(best.logProb, length - this.#forced) <= worst;
  }
}

/** Takes the best of each bank in turn, the fullest bank first, until the beam is full; best first. */
function shareOut(candidates: readonly Constrained[], beamSize: number): Constrained[] {
  const banks = new Map<number, Constrained[]>();
  for (const candidate of candidates) {
    const { bank } = candidate.progress;
    const held = banks.get(bank);
    if (held === undefined) banks.set(bank, [candidate]);
    else held.push(candidate);
  }
  const order = [...banks.keys()].sort((a, b) => b - a).map((bank) => banks.get(bank) as Constrained[]);
  const kept: Constrained[] = [];
  for (let round = 0; kept.length < beamSize && order.some((bank) => bank.length > round); round++) {
    for (const bank of order) {
      const candidate = bank[round];
      if (candidate !== undefined && kept.length < beamSize) kept.push(candidate);
    }
  }
  return kept.sort((a, b) => b.continuation.logProb - a.continuation.logProb);
}
