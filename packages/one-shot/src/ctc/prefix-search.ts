import { type CtcLattice, topK } from '@foretoken/core';
import { FrameLabels } from './frame-labels.js';
import { OutputScorer } from './output-log-prob.js';
import { PrefixBonus, type PrefixBonusOptions } from './prefix-bonus.js';
import { EMPTY_PREFIX, PrefixTrie } from './prefix-trie.js';

export interface PrefixSearchOptions extends PrefixBonusOptions {
  /** Prefixes to go on with after each frame. */
  readonly beamSize: number;
  /** Labels of a frame that are less probable are left out, but for the best one. */
  readonly minLogProb: number;
  /** Prefixes whose score is further below the best one's are dropped. */
  readonly beamThreshold: number;
}

/** An output with its score. */
export interface ScoredOutput {
  readonly tokenIds: readonly number[];
  /** Natural-log probability, summed over all alignments of the lattice's candidates. */
  readonly logProb: number;
  /** What outputs are ranked by: `logProb` and all bonuses. */
  readonly score: number;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** Prefixes after some frames, best first, with the log-probabilities of the alignments of these frames that say them. */
interface Beam {
  readonly nodes: Int32Array;
  /** Alignments that end with a blank. */
  readonly blanks: Float64Array;
  /** Alignments that end with the prefix's last token. */
  readonly labels: Float64Array;
  /** Both together. */
  readonly totals: Float64Array;
}

/**
 * CTC prefix beam search: alignments that say the same are one hypothesis with their summed probability (Graves and Jaitly,
 * 2014, "Towards End-to-End Speech Recognition with Recurrent Neural Networks", section 4; with language models, Hannun et
 * al., 2014, algorithm 1). The lattice must be valid. Outputs come best first, at most `beamSize`, with exact
 * probabilities, however narrow the beam they were found with. None are left where bonuses ruled out everything.
 */
export function ctcPrefixSearch(lattice: CtcLattice, options: PrefixSearchOptions): ScoredOutput[] {
  const trie = new PrefixTrie();
  const bonus = new PrefixBonus(trie, options);
  const frameLabels = new FrameLabels(lattice, options.minLogProb);
  /** Place in the beam of each node, or -1. */
  const places: number[] = [0];
  let beam: Beam = {
    nodes: Int32Array.of(EMPTY_PREFIX),
    blanks: Float64Array.of(0),
    labels: Float64Array.of(NEVER),
    totals: Float64Array.of(0),
  };
  for (let frame = 0; frame < lattice.frames && beam.nodes.length > 0; frame++) {
    frameLabels.read(frame);
    beam = advance(beam, { trie, bonus, frameLabels, places, options });
  }
  const scorer = new OutputScorer(lattice);
  const outputs = Array.from(beam.nodes, (node, place): ScoredOutput => {
    const tokenIds = trie.tokens(node);
    // Alignments through prefixes that were dropped on the way count too.
    const logProb = Math.max(beam.totals[place] as number, scorer.logProb(tokenIds));
    return { tokenIds, logProb, score: logProb + bonus.end(node) };
  });
  return outputs.filter(({ score }) => score > NEVER).sort((a, b) => b.score - a.score);
}

interface Search {
  readonly trie: PrefixTrie;
  readonly bonus: PrefixBonus;
  readonly frameLabels: FrameLabels;
  readonly places: number[];
  readonly options: PrefixSearchOptions;
}

/** One frame: each prefix stays as it is, by a blank or its last token once more, or takes one token. */
function advance(beam: Beam, search: Search): Beam {
  const { frameLabels } = search;
  if (frameLabels.count === 0) return rest(beam, frameLabels.blank);
  const stayed = stay(beam, search);
  const grown = grow(beam, stayed, search);
  return select(stayed, grown, search);
}

/** Where nothing but the blank is possible, the beam stays as it is. */
function rest({ nodes, totals }: Beam, blank: number): Beam {
  const blanks = totals.map((total) => total + blank);
  return { nodes, blanks, labels: new Float64Array(nodes.length).fill(NEVER), totals: blanks };
}

/** A beam that has not grown yet, without its totals. */
type Stayed = Omit<Beam, 'totals'>;

function stay({ nodes, labels, totals }: Beam, { trie, frameLabels }: Search): Stayed {
  const blanks = new Float64Array(nodes.length);
  const again = new Float64Array(nodes.length);
  for (let place = 0; place < nodes.length; place++) {
    const last = trie.tokenIds[nodes[place] as number] as number;
    blanks[place] = (totals[place] as number) + frameLabels.blank;
    again[place] = (labels[place] as number) + frameLabels.logProbOf(last);
  }
  return { nodes, blanks, labels: again };
}

/** Prefixes with one more token, none of them in the beam already; parallel arrays. */
interface Grown {
  readonly parents: number[];
  readonly tokenIds: number[];
  readonly logProbs: number[];
  readonly bonuses: number[];
}

/** What grows into a prefix of the beam is added to it; the rest is new. */
function grow({ nodes, blanks, totals }: Beam, stayed: Stayed, search: Search): Grown {
  const { trie, bonus, frameLabels, places } = search;
  const grown: Grown = { parents: [], tokenIds: [], logProbs: [], bonuses: [] };
  const least = leastOf(stayed, search);
  for (let place = 0; place < nodes.length; place++) {
    const node = nodes[place] as number;
    for (let index = 0; index < frameLabels.count; index++) {
      const tokenId = frameLabels.tokenIds[index] as number;
      // A token that follows itself without a blank between is still the same token.
      const before = (tokenId === trie.tokenIds[node] ? blanks[place] : totals[place]) as number;
      const logProb = before + (frameLabels.logProbs[index] as number);
      if (logProb === NEVER) continue;
      const child = trie.child(node, tokenId);
      const childPlace = child < 0 ? -1 : (places[child] as number);
      if (childPlace >= 0) {
        stayed.labels[childPlace] = logAdd(stayed.labels[childPlace] as number, logProb);
        continue;
      }
      if (child < 0 && logProb + bonus.atMostAfter(node) < least) continue;
      const sum = child < 0 ? bonus.after(node, tokenId) : bonus.of(child);
      if (sum === NEVER || logProb + sum < least) continue;
      grown.parents.push(node);
      grown.tokenIds.push(tokenId);
      grown.logProbs.push(logProb);
      grown.bonuses.push(sum);
    }
  }
  return grown;
}

/**
 * The score below which a new prefix is dropped: a full beam's worst, or what is too far below its best. What grows into
 * the beam only raises both.
 */
function leastOf({ nodes, blanks, labels }: Stayed, { bonus, options }: Search): number {
  let worst = Number.POSITIVE_INFINITY;
  let best = NEVER;
  for (let place = 0; place < nodes.length; place++) {
    const atLeast = Math.max(blanks[place] as number, labels[place] as number) + bonus.of(nodes[place] as number);
    worst = Math.min(worst, atLeast);
    best = Math.max(best, atLeast);
  }
  const kept = best - options.beamThreshold;
  return nodes.length < options.beamSize ? kept : Math.max(worst, kept);
}

/** The best of both, best first. */
function select({ nodes, blanks, labels }: Stayed, grown: Grown, search: Search): Beam {
  const { bonus, places, options } = search;
  const size = nodes.length;
  const totals = new Float64Array(size + grown.parents.length);
  const scores = new Float64Array(totals.length);
  for (let place = 0; place < size; place++) {
    const node = nodes[place] as number;
    totals[place] = logAdd(blanks[place] as number, labels[place] as number);
    scores[place] = (totals[place] as number) + bonus.of(node);
    places[node] = -1;
  }
  for (let index = 0; index < grown.parents.length; index++) {
    totals[size + index] = grown.logProbs[index] as number;
    scores[size + index] = (grown.logProbs[index] as number) + (grown.bonuses[index] as number);
  }
  const best = topK(scores, options.beamSize);
  const least = (scores[best[0] ?? -1] ?? NEVER) - options.beamThreshold;
  let count = best.length;
  while (count > 0 && (scores[best[count - 1] as number] as number) < least) count--;
  const next = {
    nodes: new Int32Array(count),
    blanks: new Float64Array(count),
    labels: new Float64Array(count),
    totals: new Float64Array(count),
  };
  for (let place = 0; place < count; place++) {
    const entry = best[place] as number;
    const isNew = entry >= size;
    const node = isNew ? grownNode(grown, entry - size, search) : (nodes[entry] as number);
    next.nodes[place] = node;
    next.blanks[place] = isNew ? NEVER : (blanks[entry] as number);
    next.labels[place] = isNew ? (totals[entry] as number) : (labels[entry] as number);
    next.totals[place] = totals[entry] as number;
    places[node] = place;
  }
  return next;
}

/** The node of a grown prefix, which may have been in the beam before. */
function grownNode(grown: Grown, index: number, { trie, bonus }: Search): number {
  const parent = grown.parents[index] as number;
  const tokenId = grown.tokenIds[index] as number;
  const known = trie.child(parent, tokenId);
  if (known >= 0) return known;
  const node = trie.add(parent, tokenId);
  bonus.add(node, grown.bonuses[index] as number);
  return node;
}

/** `log(exp(a) + exp(b))`. */
function logAdd(a: number, b: number): number {
  if (a < b) return b + (a === NEVER ? 0 : Math.log1p(Math.exp(a - b)));
  return a + (b === NEVER ? 0 : Math.log1p(Math.exp(b - a)));
}
