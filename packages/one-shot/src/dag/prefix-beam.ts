import { invalidScores, logSumExp, topK } from '@foretoken/core/kit';
import type { LanguageModel } from '@foretoken/language-models';
import { logAdd } from '../log-add.js';
import type { OutputEnd } from '../output-ends.js';
import type { DagRow } from './dag-decoder.js';
import { type DagEdges, MAX_FOLLOWED } from './dag-edges.js';
import { emissions, Reach } from './dag-reach.js';
import { FoundOutputs, type SaidOutput, type ScoredOutput } from './found-outputs.js';

export interface PrefixBeamOptions {
  /** Prefixes to go on with at each length. */
  readonly beamSize: number;
  /** Outputs to return, best first. */
  readonly outputs: number;
  /** Exponent of the length that a score is divided by. */
  readonly lengthPenalty: number;
  /** Token that vertex 0 says to begin a path: no part of the output, and not fused. */
  readonly startTokenId?: number | undefined;
  /** A model of outputs whose scores are added, times the weight, which is above 0. */
  readonly fusion?: { readonly model: LanguageModel; readonly weight: number } | undefined;
}

/** A row with the edges to follow. */
export interface SearchedRow extends DagRow {
  readonly edges: DagEdges;
}

const NEVER = Number.NEGATIVE_INFINITY;
const PENDING: unique symbol = Symbol('a state that was not needed yet');

/** Log-probability of having said the prefix and of standing at each of these vertices, which ascend. */
interface Prefix {
  readonly parent: Prefix | undefined;
  /** The last token of the output; -1 where there is none yet. */
  readonly tokenId: number;
  readonly fused: number;
  /** Its paths begin with the start token. */
  readonly begun: boolean;
  readonly vertices: number[];
  readonly logProbs: number[];
  /** Where the language model stands, `PENDING` until it is needed. */
  state: unknown;
  /** Where limit and stops leave the output; looked up once it is needed. */
  end?: OutputEnd | undefined;
  /** Its outputs were found already. */
  finished?: boolean | undefined;
}

/**
 * Beam search over token sequences: paths with the same prefix are one hypothesis, whose probability is their sum, so that
 * many ways of saying the same are not outvoted by one way of saying something else (Huang et al., 2022, section 3).
 * With a beam that never prunes, the probabilities are exact. What follows an end token, a limit or a stop may be anything.
 *
 * A generator that yields after each prefix at each length: at most `beamSize` times the number of vertices, and between two
 * yields at most `MAX_FOLLOWED` squared edges are followed.
 */
export function* prefixBeam(searched: SearchedRow, options: PrefixBeamOptions): Generator<void, ScoredOutput[]> {
  return yield* new PrefixBeam(searched, options).run();
}

class PrefixBeam {
  readonly #searched: SearchedRow;
  readonly #options: PrefixBeamOptions;
  readonly #found: FoundOutputs;
  readonly #reach: Reach;
  /** What one more token, or the end, may add to a score at most; not negative. */
  readonly #maxGain: number;
  /**
   * Log-probability that paths begin with the start token, and that they do not: both may say the same, at different lengths.
   */
  readonly #begun: number;
  readonly #unbegun: number;

  constructor(searched: SearchedRow, options: PrefixBeamOptions) {
    this.#searched = searched;
    this.#options = options;
    this.#found = new FoundOutputs(options.outputs, options.lengthPenalty);
    this.#reach = new Reach(searched.graph.vertices);
    const { fusion } = options;
    this.#maxGain =
      fusion === undefined ? 0 : Math.max(0, fusion.weight * (fusion.model.maxScore ?? Number.POSITIVE_INFINITY));
    const { k, logProbs, tokenIds } = searched.graph;
    const starts = (entry: number): boolean => tokenIds[entry] === options.startTokenId;
    const first = Array.from(logProbs.subarray(0, k));
    const rest = searched.edges.rest[0];
    this.#begun = logSumExp(first.filter((_, entry) => starts(entry))) + rest;
    this.#unbegun = logSumExp(first.filter((_, entry) => !starts(entry))) + rest;
  }

  *run(): Generator<void, ScoredOutput[]> {
    const { graph, edges, ends } = this.#searched;
    const { beamSize, startTokenId } = this.#options;
    const nothing = { parent: undefined, tokenId: -1, fused: 0, begun: false, vertices: [], logProbs: [] };
    const root: Prefix = { ...nothing, state: this.#options.fusion?.model.start() };
    if (startTokenId !== ends.endTokenId && edges.endFirst > NEVER) {
      const fused = this.#endScore(root);
      this.#found.add([], [{ logProb: edges.endFirst, fused, length: 1, ended: true }], false);
    }
    let running = [root];
    for (let length = 1; length <= graph.vertices && running.length > 0; length++) {
      const grown: Prefix[] = [];
      for (const prefix of running) {
        this.#grow(prefix, length, grown);
        yield;
      }
      const scores = Float64Array.from(grown, ({ logProbs, fused }) => logSumExp(logProbs) + fused);
      running = [];
      for (const index of topK(scores, beamSize)) {
        const prefix = grown[index];
        if (prefix.finished !== true) this.#finish(prefix, length, NEVER);
        if (!this.#endOf(prefix).over) running.push(prefix);
      }
      for (const prefix of running) keepMostProbable(prefix);
      if (this.#isOver(running, length)) break;
    }
    return this.#found.best();
  }

  /** All prefixes with one more token; what stands at the last vertex is finished. */
  #grow(prefix: Prefix, length: number, grown: Prefix[]): void {
    const { graph, edges, ends } = this.#searched;
    const last = graph.vertices - 1;
    const reached = length === 1 ? START : this.#reach.from(prefix, edges);
    for (const [tokenId, { vertices, logProbs }] of emissions(graph, reached)) {
      const starts = length === 1 && tokenId === this.#options.startTokenId;
      // The end token was counted where the prefix was finished.
      if (tokenId === ends.endTokenId && !starts) continue;
      const fused = starts ? 0 : prefix.fused + this.#score(prefix, tokenId);
      if (fused === NEVER) continue;
      const next: Prefix = starts
        ? { ...prefix, begun: true, vertices, logProbs }
        : { parent: prefix, tokenId, fused, begun: prefix.begun, vertices, logProbs, state: PENDING };
      if (vertices.at(-1) === last) {
        vertices.pop();
        const atLast = logProbs[logProbs.length - 1];
        logProbs.pop();
        this.#finish(next, length, atLast);
      }
      if (vertices.length > 0 && !(next.finished === true && this.#endOf(next).over)) grown.push(next);
    }
  }

  /** Adds what has been said to the outputs: by paths that end here, `atLast`, and by those that are cut here. */
  #finish(prefix: Prefix, length: number, atLast: number): void {
    const { edges } = this.#searched;
    const { fused } = prefix;
    prefix.finished = true;
    const whatever = logAdd(atLast, sumWith(prefix, edges.rest));
    const others = prefix.begun ? this.#unbegun : this.#begun;
    // Paths of the other kind may say the same, which the model likes as much.
    const max = logAdd(whatever + fused + this.#maxGain, others + Math.max(0, fused + this.#maxGain));
    // They have one vertex less or more, for the start token; the end token is another.
    const shortest = prefix.begun && others > NEVER ? Math.max(1, length - 1) : length;
    const longest = length + (prefix.begun || others === NEVER ? 1 : 2);
    if (this.#maxGain < Number.POSITIVE_INFINITY && !this.#found.mayBeReturned(max, shortest, longest)) return;
    const ways: SaidOutput[] = [];
    if (this.#endOf(prefix).over) ways.push({ logProb: whatever, fused, length, ended: false });
    else {
      if (atLast > NEVER) ways.push({ logProb: atLast, fused, length, ended: false });
      const logProb = sumWith(prefix, edges.endNext);
      if (logProb > NEVER) {
        const withEnd = fused + this.#endScore(prefix);
        ways.push({ logProb, fused: withEnd, length: length + 1, ended: true });
      }
    }
    if (ways.length > 0) this.#found.add(tokensOf(prefix), ways, prefix.begun);
  }

  /** Whether nothing that may still be said is better than what was found. */
  #isOver(running: readonly Prefix[], length: number): boolean {
    const { graph, edges } = this.#searched;
    const { lengthPenalty } = this.#options;
    // Where there is no bound on gains, there is none on what may come.
    const gain = this.#maxGain * (graph.vertices - length);
    const max = { begun: NEVER, unbegun: NEVER };
    for (const prefix of running) {
      const kind = prefix.begun ? 'begun' : 'unbegun';
      max[kind] = Math.max(max[kind], sumWith(prefix, edges.rest) + prefix.fused + gain);
    }
    // Paths of both kinds may come to say the same. By the length that a sum is divided by, the best that can become of it is
    // at one end.
    const both = logAdd(max.begun, max.unbegun);
    const bound = Math.max(both / (length + 1) ** lengthPenalty, both / graph.vertices ** lengthPenalty);
    return bound <= this.#found.worst() && this.#found.isSettled(max.begun, max.unbegun);
  }

  /** What the language model adds for one more token. */
  #score(prefix: Prefix, tokenId: number): number {
    const { fusion } = this.#options;
    if (fusion === undefined) return 0;
    return this.#checked(prefix, fusion.weight * fusion.model.score(stateOf(prefix, fusion.model), tokenId));
  }

  /** What the language model adds for the end token. */
  #endScore(prefix: Prefix): number {
    const { fusion } = this.#options;
    if (fusion === undefined) return 0;
    return this.#checked(prefix, fusion.weight * fusion.model.end(stateOf(prefix, fusion.model)));
  }

  #checked(prefix: Prefix, score: number): number {
    if (score < Number.POSITIVE_INFINITY) return score;
    throw invalidScores(this.#searched.row, tokensOf(prefix).length, score);
  }

  #endOf(prefix: Prefix): OutputEnd {
    const { parent, tokenId } = prefix;
    const { ends } = this.#searched;
    prefix.end ??= parent === undefined ? ends.start : ends.after(this.#endOf(parent), tokenId);
    return prefix.end;
  }
}

/** Where a language model stands after a prefix; its parent was asked for before. */
function stateOf(prefix: Prefix, model: LanguageModel): unknown {
  if (prefix.state === PENDING) prefix.state = model.next(prefix.parent?.state, prefix.tokenId);
  return prefix.state;
}

/** Every path begins at vertex 0. */
const START: Float64Array = Float64Array.of(0);

function tokensOf(prefix: Prefix): number[] {
  const tokenIds: number[] = [];
  for (let at: Prefix | undefined = prefix; at !== undefined && at.tokenId >= 0; at = at.parent)
    tokenIds.push(at.tokenId);
  return tokenIds.reverse();
}

/** Log-probability of a prefix together with what `masses` says of each vertex it stands at. */
function sumWith({ vertices, logProbs }: Prefix, masses: Float64Array): number {
  let max = NEVER;
  for (let index = 0; index < vertices.length; index++) {
    const score = logProbs[index] + masses[vertices[index]];
    if (score > max) max = score;
  }
  if (max === NEVER) return max;
  let sum = 0;
  for (let index = 0; index < vertices.length; index++) {
    sum += Math.exp(logProbs[index] + masses[vertices[index]] - max);
  }
  return max + Math.log(sum);
}

function keepMostProbable({ vertices, logProbs }: Prefix): void {
  if (vertices.length <= MAX_FOLLOWED) return;
  const kept = topK(logProbs, MAX_FOLLOWED).sort();
  for (const [place, index] of kept.entries()) {
    vertices[place] = vertices[index];
    logProbs[place] = logProbs[index];
  }
  vertices.length = kept.length;
  logProbs.length = kept.length;
}
