import { type CtcLattice, topK } from '@foretoken/core';
import { FrameLabels } from './frame-labels.js';
import { outputLogProb } from './output-log-prob.js';
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
  let beam: Beam = { nodes: Int32Array.of(EMPTY_PREFIX), blanks: Float64Array.of(0), labels: Float64Array.of(NEVER) };
  for (let frame = 0; frame < lattice.frames && beam.nodes.length > 0; frame++) {
    frameLabels.read(frame);
    beam = advance(beam, { trie, bonus, frameLabels, places, options });
  }
  const outputs = Array.from(beam.nodes, (node, place): ScoredOutput => {
    const tokenIds = trie.tokens(node);
    const followed = logAdd(beam.blanks[place] as number, beam.labels[place] as number);
    // Alignments through prefixes that were dropped on the way count too.
    const logProb = Math.max(followed, outputLogProb(lattice, tokenIds));
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
  const totals = Float64Array.from(beam.nodes, (_, place) =>
    logAdd(beam.blanks[place] as number, beam.labels[place] as number),
  );
  const stayed = stay(beam, totals, search);
  const grown = grow(beam, totals, stayed, search);
  return select(stayed, grown, search);
}

function stay({ nodes, labels }: Beam, totals: Float64Array, { trie, frameLabels }: Search): Beam {
  return {
    nodes,
    blanks: totals.map((total) => total + frameLabels.blank),
    labels: labels.map(
      (label, place) => label + frameLabels.logProbOf(trie.tokenIds[nodes[place] as number] as number),
    ),
  };
}

/** Prefixes with one more token, none of them in the beam already; parallel arrays. */
interface Grown {
  readonly parents: number[];
  readonly tokenIds: number[];
  readonly logProbs: number[];
  readonly bonuses: number[];
}

/** What grows into a prefix of the beam is added to it; the rest is new. */
function grow({ nodes, blanks }: Beam, totals: Float64Array, stayed: Beam, search: Search): Grown {
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

/** The score below which a new prefix has no room: a full beam's worst, which what grows into it only raises. */
function leastOf({ nodes, blanks, labels }: Beam, { bonus, options }: Search): number {
  if (nodes.length < options.beamSize) return NEVER;
  let least = Number.POSITIVE_INFINITY;
  for (const [place, node] of nodes.entries()) {
    least = Math.min(least, Math.max(blanks[place] as number, labels[place] as number) + bonus.of(node));
  }
  return least;
}

/** The best of both, best first. */
function select({ nodes, blanks, labels }: Beam, grown: Grown, search: Search): Beam {
  const { bonus, places, options } = search;
  const size = nodes.length;
  const scores = new Float64Array(size + grown.parents.length);
  for (const [place, node] of nodes.entries()) {
    scores[place] = logAdd(blanks[place] as number, labels[place] as number) + bonus.of(node);
    places[node] = -1;
  }
  for (const [index, logProb] of grown.logProbs.entries()) {
    scores[size + index] = logProb + (grown.bonuses[index] as number);
  }
  const best = topK(scores, options.beamSize);
  const least = (scores[best[0] ?? -1] ?? NEVER) - options.beamThreshold;
  const kept = best.filter((entry) => (scores[entry] as number) >= least);
  const isNew = (entry: number): boolean => entry >= size;
  const next: Beam = {
    nodes: kept.map((entry) => (isNew(entry) ? grownNode(grown, entry - size, search) : (nodes[entry] as number))),
    blanks: Float64Array.from(kept, (entry) => (isNew(entry) ? NEVER : (blanks[entry] as number))),
    labels: Float64Array.from(kept, (entry) => (isNew(entry) ? grown.logProbs[entry - size] : labels[entry]) as number),
  };
  for (const [place, node] of next.nodes.entries()) places[node] = place;
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
