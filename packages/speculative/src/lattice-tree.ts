import { type DraftLimit, type DraftTree, ForetokenError } from '@foretoken/core';
import type { CtcContinuations, CtcPrefix, CtcPrefixScorer } from '@foretoken/core/kit';
import { type LanguageModel, type NextTokens, nextTokens } from '@foretoken/language-models';

/** A language model of the target's outputs. */
export interface Opinion {
  readonly model: LanguageModel;
  /** The lattice's is 1. */
  readonly weight: number;
  /** The model's state before the draft. */
  readonly state: unknown;
  /** The request's row and the tokens before the draft, for errors. */
  readonly row: number;
  readonly position: number;
}

export interface GrowthOptions extends DraftLimit {
  /** Least probability of a path. */
  readonly min: number;
  /** Follow only the best child of each node. */
  readonly chain: boolean;
  /** Re-ranks what the lattice proposes by what the target tends to say. */
  readonly opinion: Opinion | undefined;
  /** Ends an output; never a node, because the target's choice at the parent says as much. */
  readonly endTokenId: number | undefined;
}

interface Candidate {
  readonly parent: number;
  readonly tokenId: number;
  /** Of the path that ends with it. */
  readonly probability: number;
  /** Of this token, given the path above. */
  readonly given: number;
}

/** A draft, and where lattice and language model stand after each of its nodes; undefined where nothing was to be grown below. */
export interface GrownDraft {
  readonly draft: DraftTree;
  readonly states: (CtcPrefix | undefined)[];
  readonly languageStates: readonly unknown[];
}

/**
 * Grows a draft tree below `prefix`, best first: the node added next is always the one that the lattice thinks most
 * probable, given the prefix, to be on the output's path. So n nodes hold the largest expected number of accepted tokens
 * that n nodes can, as far as the lattice is right.
 */
export function growDraft(scorer: CtcPrefixScorer, prefix: CtcPrefix, options: GrowthOptions): GrownDraft {
  const { nodes, depth, min, chain, endTokenId, opinion } = options;
  const tokenIds: number[] = [];
  const parents: number[] = [];
  /** Of each node, given those above. */
  const probabilities: number[] = [];
  const states: CtcPrefix[] = [];
  /** States of the language model. */
  const languageStates: unknown[] = [];
  const depths: number[] = [];
  const frontier: Candidate[] = [];

  const expand = (state: CtcPrefix, parent: number, probability: number): void => {
    const relative = min / probability;
    const next = scorer.continuations(state, opinion === undefined ? relative : relative * UNRANKED);
    if (opinion !== undefined) {
      const language = parent < 0 ? opinion.state : languageStates[parent];
      rerank(next, opinion, language, opinion.position + (parent < 0 ? 0 : depths[parent]), relative);
    }
    const { tokenIds: offered, probabilities: ofOffered } = next;
    let best = -1;
    for (let index = 0; index < offered.length; index++) {
      if (offered[index] === endTokenId) continue;
      if (!chain) frontier.push(candidate(parent, offered[index], probability, ofOffered[index]));
      else if (best < 0 || ofOffered[index] > ofOffered[best]) best = index;
    }
    if (best >= 0) frontier.push(candidate(parent, offered[best], probability, ofOffered[best]));
  };

  expand(prefix, -1, 1);
  while (frontier.length > 0 && tokenIds.length < nodes) {
    const { parent, tokenId, probability, given } = takeBest(frontier);
    const node = tokenIds.push(tokenId) - 1;
    const at = parent < 0 ? 1 : depths[parent] + 1;
    parents.push(parent);
    probabilities.push(given);
    depths.push(at);
    if (at < depth && node + 1 < nodes) {
      const state = scorer.extend(parent < 0 ? prefix : states[parent], tokenId);
      states[node] = state;
      if (opinion !== undefined) {
        const before = parent < 0 ? opinion.state : languageStates[parent];
        languageStates[node] = opinion.model.next(before, tokenId);
      }
      expand(state, node, probability);
    }
  }
  const draft = {
    tokenIds: new Int32Array(tokenIds),
    parents: new Int32Array(parents),
    probabilities: new Float32Array(probabilities),
  };
  return { draft, states, languageStates };
}

/** A token below `parent`, whose path has the probability `above`. */
function candidate(parent: number, tokenId: number, above: number, given: number): Candidate {
  return { parent, tokenId, probability: above * given, given };
}

/** The error of a probability of the language model that is none. */
function invalidProbability(row: number, position: number, received: number): ForetokenError {
  return new ForetokenError(
    'INVALID_SCORES',
    `The language model gives a token at position ${position} of row ${row} the probability ${received}. ` +
      'A finite number of at least 0 is required.',
    { row, position, received },
  );
}

// A token the lattice alone finds this much too improbable may still be proposed after re-ranking ...
const UNRANKED = 0.1;
// ... but not one this far below the best: looking it up would cost more than it ever gains.
const HOPELESS = 0.02;

/**
 * The weighted geometric mean of the lattice's distribution and the language model's, renormalised over what the lattice
 * offers and the end; it takes the place of the lattice's. A mean, not a product: both judge by much the same evidence, and counted twice it makes drafts too
 * sure of themselves, so too long.
 */
function rerank(
  next: CtcContinuations,
  { model, weight, row }: Opinion,
  state: unknown,
  position: number,
  min: number,
): void {
  const after: NextTokens = nextTokens(model, state);
  const { tokenIds, probabilities } = next;
  let max = next.end;
  for (let index = 0; index < probabilities.length; index++) max = Math.max(max, probabilities[index]);
  const hopeless = HOPELESS * max;
  let total = next.end < hopeless ? next.end : mean(next.end, after.end(), weight, row, position);
  // In place and by plain loops: this runs for every node of every draft.
  let ranked = 0;
  for (let index = 0; index < tokenIds.length; index++) {
    const tokenId = tokenIds[index];
    const ofLattice = probabilities[index];
    if (ofLattice < hopeless) {
      // Counts as if the language model agreed.
      total += ofLattice;
      continue;
    }
    const score = mean(ofLattice, after.probability(tokenId), weight, row, position);
    total += score;
    tokenIds[ranked] = tokenId;
    probabilities[ranked++] = score;
  }
  let kept = 0;
  for (let index = 0; index < ranked; index++) {
    const score = probabilities[index];
    if (!(score > 0 && score >= min * total)) continue;
    tokenIds[kept] = tokenIds[index];
    probabilities[kept++] = score / total;
  }
  tokenIds.length = kept;
  probabilities.length = kept;
}

/** Of two probabilities of one token, by weights 1 and `weight`. */
function mean(ofLattice: number, ofModel: number, weight: number, row: number, position: number): number {
  if (!(ofModel >= 0 && ofModel < Number.POSITIVE_INFINITY)) throw invalidProbability(row, position, ofModel);
  return (ofLattice * ofModel ** weight) ** (1 / (1 + weight));
}

/** Removes and returns the most probable candidate; a frontier holds few, so a scan beats a heap. */
function takeBest(frontier: Candidate[]): Candidate {
  let best = 0;
  for (let index = 1; index < frontier.length; index++) {
    if (frontier[index].probability > frontier[best].probability) best = index;
  }
  const taken = frontier[best];
  const last = frontier.pop() as Candidate;
  if (best < frontier.length) frontier[best] = last;
  return taken;
}
