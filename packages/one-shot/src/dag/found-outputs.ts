import { topK } from '@foretoken/core/kit';
import { logAdd } from '../log-add.js';

/** An output, cut where the request cuts it, scored over all paths that say it. */
export interface ScoredOutput {
  /** Without start and end token. */
  readonly tokenIds: readonly number[];
  /** Natural-log probability of the output: the sum over all paths that were followed. */
  readonly logProb: number;
  /** What outputs are ranked by: with the language model's score, divided by the length. */
  readonly score: number;
  /** The end token after it is more probable than that the path ends with it. */
  readonly ended: boolean;
}

/** Paths of one length that say an output. */
export interface SaidOutput {
  readonly logProb: number;
  /** The language model's score. */
  readonly fused: number;
  /** Vertices that say output, start and end token. */
  readonly length: number;
  readonly ended: boolean;
}

const NEVER = Number.NEGATIVE_INFINITY;

interface Entry {
  readonly tokenIds: readonly number[];
  logProb: number;
  /** With the language model's score. */
  sum: number;
  /** The most probable paths, by which length counts. */
  max: SaidOutput;
  score: number;
  /** Whether paths that begin with a start token were added, and paths that do not. */
  begun: boolean;
  unbegun: boolean;
}

/** Adds up what different paths say alike, and knows the best so far. */
export class FoundOutputs {
  readonly #count: number;
  readonly #lengthPenalty: number;
  readonly #entries = new Map<string, Entry>();
  /** Of the last output that would be returned now; `-Infinity` while there are fewer than wanted. */
  #worst: number = NEVER;

  /** `count` outputs are wanted. */
  constructor(count: number, lengthPenalty: number) {
    this.#count = count;
    this.#lengthPenalty = lengthPenalty;
  }

  /**
   * Adds all ways in which paths of a prefix say an output, at least one; `begun` says whether they begin with a start token.
   */
  add(tokenIds: readonly number[], ways: readonly SaidOutput[], begun: boolean): void {
    const key = tokenIds.join();
    const known = this.#entries.get(key);
    const nothing = { logProb: NEVER, sum: NEVER, score: NEVER, begun: false, unbegun: false };
    const entry: Entry = known ?? { tokenIds, max: ways[0], ...nothing };
    entry[begun ? 'begun' : 'unbegun'] = true;
    for (const said of ways) {
      const sum = said.logProb + said.fused;
      // The language model rules these paths out, whatever others say alike.
      if (sum === NEVER) continue;
      entry.logProb = logAdd(entry.logProb, said.logProb);
      entry.sum = logAdd(entry.sum, sum);
      if (sum > entry.max.logProb + entry.max.fused) entry.max = said;
    }
    if (entry.sum === NEVER) return;
    entry.score = entry.sum / entry.max.length ** this.#lengthPenalty;
    if (known === undefined) this.#entries.set(key, entry);
    else this.#worst = NEVER;
    if (entry.score > this.#worst && this.#entries.size >= this.#count) {
      const ranked = this.#ranked();
      this.#worst = ranked[ranked.length - 1].score;
    }
  }

  /** Whether an output of this sum or less, whose most probable paths have `min` to `max` vertices, would be among those returned. */
  mayBeReturned(sum: number, min: number, max: number): boolean {
    const penalty = this.#lengthPenalty;
    return Math.max(sum / min ** penalty, sum / max ** penalty) > this.#worst;
  }

  /**
   * Whether nothing that would be returned can change by paths that say an output with a start token, of these sums or less,
   * where its paths without one were added; and the other way round.
   */
  isSettled(begun: number, unbegun: number): boolean {
    const penalty = this.#lengthPenalty;
    for (const entry of this.#entries.values()) {
      const more = Math.max(entry.begun ? NEVER : begun, entry.unbegun ? NEVER : unbegun);
      const sum = logAdd(entry.sum, more);
      if (sum === entry.sum) continue;
      // The start token is one vertex more or less, and the end token another.
      const { length } = entry.max;
      const lengths = [Math.max(1, length - 2), length + 2];
      if (lengths.some((vertices) => sum / vertices ** penalty >= this.#worst)) return false;
    }
    return true;
  }

  /** Score of the last output that would be returned now; `-Infinity` while there are fewer than wanted. */
  worst(): number {
    return this.#worst;
  }

  /** Best first; among equals what was found first. */
  best(): ScoredOutput[] {
    return this.#ranked().map(({ tokenIds, logProb, score, max: { ended } }) => ({ tokenIds, logProb, score, ended }));
  }

  #ranked(): Entry[] {
    const entries = [...this.#entries.values()];
    const scores = Float64Array.from(entries, ({ score }) => score);
    return Array.from(topK(scores, this.#count), (index) => entries[index]);
  }
}
