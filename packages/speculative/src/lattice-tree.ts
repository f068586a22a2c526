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

/** A node of a draft, or what may become one, or the place below which the draft grows. */
export interface Place {
  readonly above: Place | undefined;
  readonly tokenId: number;
  /** Of the path that ends with it. */
  readonly probability: number;
  /** Of this token, given the path above. */
  readonly given: number;
  readonly depth: number;
  /** Its place among the draft's nodes, -1 where it is none. */
  node: number;
  /** Where the lattice stands after it; undefined where nothing was to be grown below. */
  state: CtcPrefix | undefined;
  /** Where the language model stands after it. */
  language: unknown;
}

/** A draft, and its nodes as they grew. */
export interface GrownDraft {
  readonly draft: DraftTree;
  readonly places: readonly Place[];
}

/**
 * Grows a draft tree below `prefix`, best first: the node added next is always the one that the lattice thinks most
 * probable, given the prefix, to be on the output's path. So n nodes hold the largest expected number of accepted tokens
 * that n nodes can, as far as the lattice is right.
 */
export function growDraft(scorer: CtcPrefixScorer, prefix: CtcPrefix, options: GrowthOptions): GrownDraft {
  const { nodes, depth, opinion } = options;
  const places: Place[] = [];
  const frontier: Place[] = [];
  const root = placeBelow(undefined, -1, 1);
  root.state = prefix;
  root.language = opinion?.state;
  expand(root, prefix, scorer, options, frontier);
  while (frontier.length > 0 && places.length < nodes) {
    const place = takeBest(frontier);
    place.node = places.push(place) - 1;
    if (place.depth >= depth || places.length === nodes) continue;
    const { above = root, tokenId } = place;
    place.state = scorer.extend(above.state ?? prefix, tokenId);
    place.language = opinion?.model.next(above.language, tokenId);
    expand(place, place.state, scorer, options, frontier);
  }
  return { draft: draftOf(places), places };
}

/** Adds what may follow a place to the frontier. */
function expand(
  place: Place,
  state: CtcPrefix,
  scorer: CtcPrefixScorer,
  { min, chain, opinion, endTokenId }: GrowthOptions,
  frontier: Place[],
): void {
  const relative = min / place.probability;
  const next = scorer.continuations(state, opinion === undefined ? relative : relative * UNRANKED);
  const { tokenIds, probabilities } = next;
  const count = opinion === undefined ? next.count : rerank(next, opinion, place, relative);
  let best = -1;
  for (let index = 0; index < count; index++) {
    if (tokenIds[index] === endTokenId) continue;
    if (!chain) frontier.push(placeBelow(place, tokenIds[index], probabilities[index]));
    else if (best < 0 || probabilities[index] > probabilities[best]) best = index;
  }
  if (best >= 0) frontier.push(placeBelow(place, tokenIds[best], probabilities[best]));
}

/** A token after what is above it. */
function placeBelow(above: Place | undefined, tokenId: number, given: number): Place {
  const probability = above === undefined ? given : above.probability * given;
  const depth = above === undefined ? 0 : above.depth + 1;
  return { above, tokenId, probability, given, depth, node: -1, state: undefined, language: undefined };
}

function draftOf(places: readonly Place[]): DraftTree {
  const tokenIds = new Int32Array(places.length);
  const parents = new Int32Array(places.length);
  const probabilities = new Float32Array(places.length);
  for (let node = 0; node < places.length; node++) {
    const { above, tokenId, given } = places[node];
    tokenIds[node] = tokenId;
    parents[node] = above?.node ?? -1;
    probabilities[node] = given;
  }
  return { tokenIds, parents, probabilities };
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
 * offers and the end; it takes the place of the lattice's, for as many tokens as are returned. A mean, not a product: both
 * judge by much the same evidence, and counted twice it makes drafts too sure of themselves, so too long.
 */
function rerank(next: CtcContinuations, opinion: Opinion, place: Place, min: number): number {
  const after: NextTokens = nextTokens(opinion.model, place.language);
  // Of the language model; the lattice has the rest.
  const share = opinion.weight / (1 + opinion.weight);
  const { end, count, tokenIds, probabilities } = next;
  let max = end;
  for (let index = 0; index < count; index++) if (probabilities[index] > max) max = probabilities[index];
  const hopeless = HOPELESS * max;
  let total = end < hopeless ? end : mean(end, checked(after.end(), opinion, place), share);
  // In place and by plain loops: this runs for every node of every draft.
  let ranked = 0;
  for (let index = 0; index < count; index++) {
    const tokenId = tokenIds[index];
    const ofLattice = probabilities[index];
    if (ofLattice < hopeless) {
      // Counts as if the language model agreed.
      total += ofLattice;
      continue;
    }
    const score = mean(ofLattice, checked(after.probability(tokenId), opinion, place), share);
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
  return kept;
}

/** A probability of the language model. Throws `INVALID_SCORES` for one that is none. */
function checked(ofModel: number, { row, position }: Opinion, { depth }: Place): number {
  if (!(ofModel >= 0 && ofModel < Number.POSITIVE_INFINITY)) throw invalidProbability(row, position + depth, ofModel);
  return ofModel;
}

/** Of two probabilities of one token; `share` is the model's weight. By logarithms, since two powers cost more. */
function mean(ofLattice: number, ofModel: number, share: number): number {
  return ofLattice === 0 ? 0 : ofLattice * Math.exp(share * (Math.log(ofModel) - Math.log(ofLattice)));
}

/** Removes and returns the most probable candidate; a frontier holds few, so a scan beats a heap. */
function takeBest(frontier: Place[]): Place {
  let best = 0;
  for (let index = 1; index < frontier.length; index++) {
    if (frontier[index].probability > frontier[best].probability) best = index;
  }
  const taken = frontier[best];
  frontier[best] = frontier[frontier.length - 1];
  frontier.pop();
  return taken;
}
