import type { CtcLattice } from '@foretoken/core';
import { topK } from '@foretoken/core/kit';
import { EMPTY_PREFIX, PrefixTrie } from '@foretoken/language-models';
import { logAdd } from '../log-add.js';
import type { OutputEnds } from '../output-ends.js';
import { FrameLabels } from './frame-labels.js';
import { OutputScorer } from './output-log-prob.js';
import { PrefixBonus, type PrefixBonusOptions } from './prefix-bonus.js';
import { PrefixEnds } from './prefix-ends.js';

export interface PrefixSearchOptions extends PrefixBonusOptions {
  /** Prefixes to go on with after each frame. */
  readonly beamSize: number;
  /** Labels of a frame that are less probable are left out, but for the best one. */
  readonly minLogProb: number;
  /** Prefixes whose score is further below the best one's are dropped. */
  readonly beamThreshold: number;
}

/** An output, cut where the request cuts it, with its score. */
export interface ScoredOutput {
  /** Without the end token. */
  readonly tokenIds: readonly number[];
  /** Natural-log probability, summed over all alignments of the lattice's candidates, those that were cut included. */
  readonly logProb: number;
  /** What outputs are ranked by: `logProb` and all bonuses. */
  readonly score: number;
  /** A limit or stop cuts it at its last token. */
  readonly over: boolean;
  /** Natural-log probability of those alignments alone that say the end token after it. */
  readonly endLogProb: number;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** Prefixes that grow before a search may be interrupted. */
const PREFIXES_A_STEP = 64;

/** Prefixes after some frames, best first, with the log-probabilities of the alignments of these frames that say them. */
interface Beam {
  readonly nodes: Int32Array;
  /** Alignments that end with a blank. */
  readonly blanks: Float64Array;
  /** Alignments that end with the prefix's last token. */
  readonly labels: Float64Array;
  /** Both together: what may go on. */
  readonly totals: Float64Array;
  /** Alignments that are over, whatever their last frames say: cut by an end token, or by limit or stop. */
  readonly cuts: Float64Array;
}

/**
 * CTC prefix beam search: alignments that say the same are one hypothesis with their summed probability (Graves and Jaitly,
 * 2014, "Towards End-to-End Speech Recognition with Recurrent Neural Networks", section 4; with language models, Hannun et
 * al., 2014, algorithm 1). The lattice must be valid. Outputs come best first, at most `beamSize`, with exact
 * probabilities, however narrow the beam they were found with. None are left where bonuses ruled out everything.
 *
 * `rule` says where outputs are cut; `row` is named in errors. A generator that yields between steps of bounded work.
 */
export function* ctcPrefixSearch(
  lattice: CtcLattice,
  options: PrefixSearchOptions,
  rule: OutputEnds,
  row: number,
): Generator<void, ScoredOutput[]> {
  const trie = new PrefixTrie();
  const bonus = new PrefixBonus(trie, options, row);
  const ends = new PrefixEnds(trie, rule);
  const frameLabels = new FrameLabels(lattice, options.minLogProb, rule.endTokenId);
  /** Place in the beam of each node, or -1. */
  const places: number[] = [0];
  let beam: Beam = {
    nodes: Int32Array.of(EMPTY_PREFIX),
    blanks: Float64Array.of(0),
    labels: Float64Array.of(NEVER),
    totals: Float64Array.of(0),
    cuts: Float64Array.of(NEVER),
  };
  for (let frame = 0; frame < lattice.frames && beam.nodes.length > 0; frame++) {
    frameLabels.read(frame);
    beam = yield* advance(beam, { trie, bonus, ends, frameLabels, places, options });
    yield;
  }
  const scorer = new OutputScorer(lattice, rule.endTokenId);
  const outputs: ScoredOutput[] = [];
  for (const [place, node] of beam.nodes.entries()) {
    const tokenIds = trie.tokens(node);
    const over = ends.isOver(node);
    // Alignments through prefixes that were dropped on the way count too.
    const { whole, cut } = scorer.logProb(tokenIds, over);
    const found = logAdd(beam.totals[place], beam.cuts[place]);
    const logProb = Math.max(found, logAdd(whole, cut));
    const endLogProb = over ? NEVER : Math.max(beam.cuts[place], cut);
    outputs.push({ tokenIds, logProb, score: logProb + bonus.end(node), over, endLogProb });
    yield;
  }
  return outputs.filter(({ score }) => score > NEVER).sort((a, b) => b.score - a.score);
}

interface Search {
  readonly trie: PrefixTrie;
  readonly bonus: PrefixBonus;
  readonly ends: PrefixEnds;
  readonly frameLabels: FrameLabels;
  readonly places: number[];
  readonly options: PrefixSearchOptions;
}

/** One frame: each prefix stays as it is, by a blank or its last token once more, or takes one token. */
function* advance(beam: Beam, search: Search): Generator<void, Beam> {
  const { count, blank, end } = search.frameLabels;
  if (count === 0 && end === NEVER) return rest(beam, blank);
  const stayed = stay(beam, search);
  const grown = yield* grow(beam, stayed, search);
  return select(stayed, grown, search);
}

/** Where nothing but the blank is possible, the beam stays as it is. */
function rest({ nodes, totals, cuts }: Beam, blank: number): Beam {
  const blanks = totals.map((total) => total + blank);
  const labels = new Float64Array(nodes.length).fill(NEVER);
  return { nodes, blanks, labels, totals: blanks, cuts: cuts.map((cut) => cut + blank) };
}

/** A beam that has not grown yet, without its totals. */
type Stayed = Omit<Beam, 'totals'>;

function stay({ nodes, labels, totals, cuts }: Beam, { trie, frameLabels }: Search): Stayed {
  const blanks = new Float64Array(nodes.length);
  const again = new Float64Array(nodes.length);
  const cut = new Float64Array(nodes.length);
  const anything = cuts.some((cut) => cut > NEVER) ? frameLabels.total() : NEVER;
  for (let place = 0; place < nodes.length; place++) {
    const last = trie.tokenIds[nodes[place]];
    blanks[place] = totals[place] + frameLabels.blank;
    again[place] = labels[place] + frameLabels.logProbOf(last);
    cut[place] = logAdd(cuts[place] + anything, totals[place] + frameLabels.end);
  }
  return { nodes, blanks, labels: again, cuts: cut };
}

/** Prefixes with one more token, none of them in the beam already; parallel arrays. */
interface Grown {
  readonly parents: number[];
  readonly tokenIds: number[];
  readonly logProbs: number[];
  readonly bonuses: number[];
}

/** What grows into a prefix of the beam is added to it; the rest is new. */
function* grow({ nodes, blanks, totals }: Beam, stayed: Stayed, search: Search): Generator<void, Grown> {
  const { trie, bonus, ends, frameLabels, places } = search;
  const grown: Grown = { parents: [], tokenIds: [], logProbs: [], bonuses: [] };
  const min = minOf(stayed, search);
  for (let place = 0; place < nodes.length; place++) {
    if (place % PREFIXES_A_STEP === PREFIXES_A_STEP - 1) yield;
    if (totals[place] === NEVER) continue;
    const node = nodes[place];
    for (let index = 0; index < frameLabels.count; index++) {
      const tokenId = frameLabels.tokenIds[index];
      // A token that follows itself without a blank between is still the same token.
      const before = tokenId === trie.tokenIds[node] ? blanks[place] : totals[place];
      const logProb = before + frameLabels.logProbs[index];
      if (logProb === NEVER) continue;
      const child = trie.child(node, tokenId);
      const childPlace = child < 0 ? -1 : places[child];
      if (childPlace >= 0) {
        const masses = ends.isOver(child) ? stayed.cuts : stayed.labels;
        masses[childPlace] = logAdd(masses[childPlace], logProb);
        continue;
      }
      if (child < 0 && logProb + bonus.maxAfter(node) < min) continue;
      const sum = child < 0 ? bonus.after(node, tokenId) : bonus.of(child);
      if (sum === NEVER || logProb + sum < min) continue;
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
function minOf({ nodes, blanks, labels, cuts }: Stayed, { bonus, options }: Search): number {
  let worst = Number.POSITIVE_INFINITY;
  let best = NEVER;
  for (let place = 0; place < nodes.length; place++) {
    const mass = Math.max(blanks[place], labels[place], cuts[place]);
    const min = mass + bonus.of(nodes[place]);
    worst = Math.min(worst, min);
    best = Math.max(best, min);
  }
  const kept = best - options.beamThreshold;
  return nodes.length < options.beamSize ? kept : Math.max(worst, kept);
}

/** The best of both, best first. */
function select({ nodes, blanks, labels, cuts }: Stayed, grown: Grown, search: Search): Beam {
  const { bonus, ends, places, options } = search;
  const size = nodes.length;
  const totals = new Float64Array(size + grown.parents.length);
  const scores = new Float64Array(totals.length);
  for (let place = 0; place < size; place++) {
    const node = nodes[place];
    totals[place] = logAdd(blanks[place], labels[place]);
    scores[place] = logAdd(totals[place], cuts[place]) + bonus.of(node);
    places[node] = -1;
  }
  for (let index = 0; index < grown.parents.length; index++) {
    totals[size + index] = grown.logProbs[index];
    scores[size + index] = grown.logProbs[index] + grown.bonuses[index];
  }
  const best = topK(scores, options.beamSize);
  const min = (scores[best[0] ?? -1] ?? NEVER) - options.beamThreshold;
  let count = best.length;
  while (count > 0 && scores[best[count - 1]] < min) count--;
  const next = {
    nodes: new Int32Array(count),
    blanks: new Float64Array(count),
    labels: new Float64Array(count),
    totals: new Float64Array(count),
    cuts: new Float64Array(count),
  };
  for (let place = 0; place < count; place++) {
    const entry = best[place];
    const isNew = entry >= size;
    const node = isNew ? grownNode(grown, entry - size, search) : nodes[entry];
    const over = isNew && ends.isOver(node);
    next.nodes[place] = node;
    next.blanks[place] = isNew ? NEVER : blanks[entry];
    next.labels[place] = isNew ? (over ? NEVER : totals[entry]) : labels[entry];
    next.totals[place] = over ? NEVER : totals[entry];
    next.cuts[place] = isNew ? (over ? totals[entry] : NEVER) : cuts[entry];
    places[node] = place;
  }
  return next;
}

/** The node of a grown prefix, which may have been in the beam before. */
function grownNode(grown: Grown, index: number, { trie, bonus, ends }: Search): number {
  const parent = grown.parents[index];
  const tokenId = grown.tokenIds[index];
  const known = trie.child(parent, tokenId);
  if (known >= 0) return known;
  const node = trie.add(parent, tokenId);
  bonus.add(node, grown.bonuses[index]);
  ends.add(node);
  return node;
}
