import type { Hypothesis } from '@foretoken/core';
import { BeamRow, type BeamSettings } from './beam-row.js';
import type { Branch, RowSearch, ScoredBranch, SearchStart, Steps } from './branch.js';
import { toHypothesis } from './finished-list.js';

/** Groups of a diverse beam and how much they avoid one another. */
export interface DiverseSettings {
  readonly groups: number;
  /** Held against a token for each branch of an earlier group that chose it at the same position. */
  readonly penalty: number;
}

/**
 * Diverse beam search of one row: groups of branches step one after another, and a token loses by each branch of an earlier
 * group that took it at this position (Vijayakumar et al., 2018, section 3, Hamming diversity). The penalty decides what
 * is chosen; scores stay the model's own.
 */
export class DiverseRow implements RowSearch {
  readonly #groups: readonly BeamRow[];
  readonly #settings: BeamSettings;
  readonly #penalty: number;
  readonly #endTokenId: number | undefined;
  #started = false;

  constructor(start: SearchStart, settings: BeamSettings, { groups, penalty }: DiverseSettings) {
    const group = {
      ...settings,
      beamSize: settings.beamSize / groups,
      finished: Math.ceil(settings.finished / groups),
    };
    this.#groups = Array.from({ length: groups }, () => new BeamRow(start, group));
    this.#settings = settings;
    this.#penalty = penalty;
    this.#endTokenId = start.bounds.endTokenId;
  }

  get running(): readonly Branch[] {
    // All groups start from the same branch, which is scored once.
    if (!this.#started) return this.#groups[0].running;
    return this.#groups.flatMap(({ running }) => running);
  }

  *step(scored: readonly ScoredBranch[]): Steps {
    const taken = new Map<number, number>();
    const against = (tokenId: number): number => this.#penalty * (taken.get(tokenId) ?? 0);
    let at = 0;
    for (const group of this.#groups) {
      const count = group.running.length;
      if (count === 0) continue;
      yield* group.step(this.#started ? scored.slice(at, at + count) : scored, against);
      at += count;
      for (const tokenId of group.chosen) {
        // Outputs may all end at one place; only words must differ.
        if (tokenId !== this.#endTokenId) taken.set(tokenId, (taken.get(tokenId) ?? 0) + 1);
      }
    }
    this.#started = true;
  }

  standing(): readonly Branch[] {
    return this.#groups.flatMap((group) => group.standing());
  }

  provisional(): Branch {
    return (this.#groups.find(({ running }) => running.length > 0) ?? this.#groups[0]).provisional();
  }

  /** Of all groups together; an output that several groups found counts once. */
  hypotheses(): readonly Hypothesis[] {
    const found = new Set<string>();
    return this.#groups
      .flatMap(({ finished }) => finished)
      .sort((a, b) => b.score - a.score)
      .filter(({ branch }) => {
        const key = branch.output.join();
        const fresh = !found.has(key);
        found.add(key);
        return fresh;
      })
      .slice(0, this.#settings.hypotheses)
      .map(toHypothesis);
  }
}
