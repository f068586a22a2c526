import type { Hypothesis } from '@foretoken/core';
import { noTokenLeft, type OutputBounds } from '@foretoken/core/kit';
import type { Branch, RowSearch, ScoredBranch, SearchStart, Steps } from './branch.js';
import { bestContinuations, continued } from './continuations.js';
import { type Finished, FinishedList, type StopSettings } from './finished-list.js';

export interface BeamSettings extends StopSettings {
  readonly beamSize: number;
  /** Hypotheses to return. */
  readonly hypotheses: number;
  /** Finished hypotheses at which the beam is full. */
  readonly finished: number;
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
  readonly #settings: BeamSettings;
  readonly #finished: FinishedList;
  readonly #bounds: OutputBounds;
  /** Tokens the output was made to begin with that do not count in its length. */
  readonly #given: number;

  constructor({ root, bounds, given }: SearchStart, settings: BeamSettings) {
    this.running = [root];
    this.#settings = settings;
    this.#finished = new FinishedList(settings.finished);
    this.#bounds = bounds;
    this.#given = given;
  }

  *step(scored: readonly ScoredBranch[], against?: (tokenId: number) => number): Steps {
    const { beamSize, normalise } = this.#settings;
    const running: Branch[] = [];
    const chosen: number[] = [];
    const best = yield* bestContinuations(scored, 2 * beamSize, against);
    for (const [rank, continuation] of best.entries()) {
      // What follows could neither be finished nor run on.
      if (rank >= beamSize && running.length === beamSize) break;
      const { finishReason, branch, trail } = continued(continuation, this.#bounds);
      const { logProb, from } = continuation;
      if (finishReason === undefined) {
        if (running.length === beamSize) continue;
        running.push(branch());
      } else if (rank < beamSize) {
        const score = normalise(logProb, from.branch.length + 1 - this.#given);
        this.#finished.add({ branch: branch(), logProb, score, finishReason, trail });
      } else {
        continue;
      }
      chosen.push(continuation.tokenId);
    }
    this.running = running;
    this.chosen = chosen;
    if (running.length === 0 && this.finished.length === 0) {
      throw noTokenLeft(scored[0]?.branch.row ?? 0, scored[0]?.branch.length ?? 0);
    }
    if (running.length > 0 && this.#finished.maySuffice(running, this.#bounds, this.#given, this.#settings)) {
      this.running = [];
    }
  }

  standing(): readonly Branch[] {
    return [...this.running, ...this.#finished.branches];
  }

  provisional(): Branch {
    const [running] = this.running;
    const [finished] = this.finished;
    if (running === undefined || finished === undefined) return running ?? finished?.branch;
    const score = this.#settings.normalise(running.logProb, running.length - this.#given);
    return score > finished.score ? running : finished.branch;
  }

  /** Finished hypotheses, best first. */
  get finished(): readonly Finished[] {
    return this.#finished.entries;
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#finished.hypotheses(this.#settings.hypotheses);
  }
}
