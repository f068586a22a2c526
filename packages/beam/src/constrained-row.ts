import { ForetokenError, type Hypothesis } from '@foretoken/core';
import type { OutputBounds } from '@foretoken/core/kit';
import type { BeamSettings } from './beam-row.js';
import type { Branch, RowSearch, ScoredBranch, SearchStart, Steps } from './branch.js';
import { allLogProbs, bestContinuations, type Continuation, continuationOf, continued } from './continuations.js';
import { FinishedList } from './finished-list.js';
import type { PhraseProgress, PhraseSet } from './phrase-progress.js';

interface Constrained {
  readonly continuation: Continuation;
  readonly progress: PhraseProgress;
}

/** A constrained continuation that runs on. */
interface GoingOn extends Constrained {
  branch(): Branch;
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
  readonly #phrases: PhraseSet;
  readonly #settings: BeamSettings;
  readonly #finished: FinishedList;
  readonly #bounds: OutputBounds;
  readonly #given: number;

  constructor({ root, bounds, given }: SearchStart, settings: BeamSettings, phrases: PhraseSet) {
    this.running = [root];
    this.#phrases = phrases;
    this.#progress = [root.output.reduce((progress, tokenId) => phrases.after(progress, tokenId), phrases.start)];
    this.#settings = settings;
    this.#finished = new FinishedList(settings.finished);
    this.#bounds = bounds;
    this.#given = given;
  }

  *step(scored: readonly ScoredBranch[]): Steps {
    const { beamSize, normalise } = this.#settings;
    const goingOn: GoingOn[] = [];
    const candidates = yield* this.#candidates(scored);
    for (const [rank, { continuation, progress }] of candidates.entries()) {
      const { finishReason, branch, trail } = continued(continuation, this.#bounds);
      if (finishReason === undefined) {
        goingOn.push({ continuation, progress, branch });
      } else if (progress.complete && (finishReason !== 'end-token' || rank < 2 * beamSize)) {
        const { logProb, from } = continuation;
        const score = normalise(logProb, from.branch.length + 1 - this.#given);
        this.#finished.add({ branch: branch(), logProb, score, finishReason, trail });
      }
    }
    const kept = shareOut(goingOn, beamSize);
    this.running = kept.map(({ branch }) => branch());
    this.#progress = kept.map(({ progress }) => progress);
    if (this.running.length === 0 && this.#finished.entries.length === 0) {
      const row = scored[0]?.branch.row;
      throw new ForetokenError(
        'UNSATISFIABLE_CONSTRAINT',
        `No hypothesis of row ${row} says all the phrases within ${this.#bounds.max} tokens. Raise maxNewTokens or the beam size.`,
        { option: 'phrases', row, max: this.#bounds.max },
      );
    }
    const suffices =
      this.running.length > 0 && this.#finished.maySuffice(this.running, this.#bounds, this.#given, this.#settings);
    if (suffices) this.running = [];
  }

  standing(): readonly Branch[] {
    return [...this.running, ...this.#finished.branches];
  }

  provisional(): Branch {
    return this.running[0] ?? this.#finished.branches[0];
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#finished.hypotheses(this.#settings.hypotheses);
  }

  /** The most probable continuations of all, and every branch's continuations towards its phrases; best first. */
  *#candidates(scored: readonly ScoredBranch[]): Steps<Constrained[]> {
    const { beamSize } = this.#settings;
    const found = new Map<string, Constrained>();
    const consider = (continuation: Continuation | undefined): void => {
      if (continuation === undefined) return;
      const { from, tokenId } = continuation;
      const index = scored.indexOf(from);
      const key = `${index}:${tokenId}`;
      if (found.has(key)) return;
      const before = this.#progress[index];
      const progress = tokenId === this.#bounds.endTokenId ? before : this.#phrases.after(before, tokenId);
      found.set(key, { continuation, progress });
    };
    for (const continuation of yield* bestContinuations(scored, 2 * beamSize)) consider(continuation);
    for (const [index, from] of scored.entries()) {
      for (const tokenId of this.#progress[index].wanted) {
        consider(continuationOf(from, tokenId, allLogProbs(from)[tokenId]));
      }
      consider((yield* bestContinuations([from], 1))[0]);
    }
    return [...found.values()].sort((a, b) => b.continuation.logProb - a.continuation.logProb);
  }
}

/** Takes the best of each bank in turn, the fullest bank first, until the beam is full; best first. */
function shareOut(candidates: readonly GoingOn[], beamSize: number): GoingOn[] {
  const banks = new Map<number, GoingOn[]>();
  for (const candidate of candidates) {
    const { bank } = candidate.progress;
    const held = banks.get(bank);
    if (held === undefined) banks.set(bank, [candidate]);
    else held.push(candidate);
  }
  const order = [...banks].sort(([a], [b]) => b - a).map(([, held]) => held);
  const kept: GoingOn[] = [];
  for (let round = 0; kept.length < beamSize && order.some((bank) => bank.length > round); round++) {
    for (const bank of order) {
      const candidate = bank[round];
      if (candidate !== undefined && kept.length < beamSize) kept.push(candidate);
    }
  }
  return kept.sort((a, b) => b.continuation.logProb - a.continuation.logProb);
}
