import type { CtcLattice } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';

export interface PlainOptions {
  readonly nodes: number;
  readonly depth: number;
  readonly min: number;
  readonly chain: boolean;
  readonly endTokenId: number;
  readonly opinion: { readonly model: LanguageModel<readonly number[]>; readonly weight: number } | undefined;
}

export interface PlainNode {
  readonly path: readonly number[];
  /** Of the last token, given those before it. */
  readonly given: number;
  /** Of the path. */
  readonly probability: number;
}

/** `[frames][vocabularySize + 1]`: the probability of each token, and of the blank at last. */
function emissions({ frames, k, blankId, tokenIds, logProbs, blankLogProbs }: CtcLattice, size: number): number[][] {
  return Array.from({ length: frames }, (_, frame) => {
    const known = new Map<number, number>();
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      if (tokenIds[cell] !== blankId) known.set(tokenIds[cell], Math.exp(logProbs[cell]));
    }
    const blank = Math.exp(blankLogProbs[frame]);
    const mass = [...known.values()].reduce((sum, probability) => sum + probability, blank);
    const others = size - (blankId < size ? 1 : 0) - known.size;
    const remainder = others > 0 ? Math.max(1 - mass, 1e-9) : 0;
    const row = Array.from({ length: size }, (_, id) => (known.get(id) ?? remainder / others) / (mass + remainder));
    return [...row, blank / (mass + remainder)];
  });
}

/** The mass of the alignments of the first `t` frames that say exactly this, by their last label: a blank, or the last token. */
function massesOf(
  frames: readonly (readonly number[])[],
  tokens: readonly number[],
): { blank: number; label: number }[] {
  let masses = [{ blank: 1, label: 0 }];
  for (const frame of frames) {
    const { blank } = masses[masses.length - 1];
    masses.push({ blank: blank * frame[frame.length - 1], label: 0 });
  }
  tokens.forEach((tokenId, index) => {
    const repeats = tokens[index - 1] === tokenId;
    const next = [{ blank: 0, label: 0 }];
    frames.forEach((frame, t) => {
      const begun = frame[tokenId] * (masses[t].blank + (repeats ? 0 : masses[t].label));
      const { blank, label } = next[t];
      next.push({ blank: frame[frame.length - 1] * (blank + label), label: begun + frame[tokenId] * label });
    });
    masses = next;
  });
  return masses;
}

/**
 * What `growDraft` is to grow, straight from the definitions: the masses of each prefix from the first frame on, the mean by
 * two powers, and the best of all nodes found by sorting. Undefined where two are as good as each other: either may come first.
 */
export function plainDraft(
  lattice: CtcLattice,
  vocabularySize: number,
  prefix: readonly number[],
  { nodes, depth, min, chain, endTokenId, opinion }: PlainOptions,
): PlainNode[] | undefined {
  const frames = emissions(lattice, vocabularySize);
  const known = new Set([...lattice.tokenIds].filter((tokenId) => tokenId !== lattice.blankId));

  /** Probabilities of the next token by the lattice, and of the end. */
  const continuations = (tokens: readonly number[]): { end: number; next: Map<number, number> } => {
    const masses = massesOf(frames, tokens);
    const of = (tokenId: number): number =>
      frames.reduce((sum, frame, t) => {
        const { blank, label } = masses[t];
        return sum + frame[tokenId] * (blank + (tokenId === tokens.at(-1) ? 0 : label));
      }, 0);
    const { blank, label } = masses[frames.length];
    const all = Array.from({ length: vocabularySize }, (_, tokenId) => tokenId).filter((id) => id !== lattice.blankId);
    const total = all.reduce((sum, tokenId) => sum + of(tokenId), blank + label);
    const next = new Map([...known].map((tokenId) => [tokenId, of(tokenId) / total] as const));
    return { end: (blank + label) / total, next };
  };

  const ranked = (tokens: readonly number[], relative: number): [number, number][] => {
    const { end, next } = continuations(tokens);
    if (opinion === undefined) return [...next].filter(([, probability]) => probability >= relative);
    const { model, weight } = opinion;
    const offered = [...next].filter(([, probability]) => probability >= 0.1 * relative);
    const hopeless = 0.02 * Math.max(end, ...offered.map(([, probability]) => probability));
    const mean = (ofLattice: number, score: number): number =>
      ofLattice < hopeless ? ofLattice : (ofLattice * Math.exp(score) ** weight) ** (1 / (1 + weight));
    const scores = offered.map(([tokenId, own]) => [tokenId, own, mean(own, model.score(tokens, tokenId))] as const);
    const total = scores.reduce((sum, [, , score]) => sum + score, mean(end, model.end(tokens)));
    return scores
      .filter(([, own, score]) => own >= hopeless && score >= relative * total)
      .map(([tokenId, , score]) => [tokenId, score / total]);
  };

  const ties = ([best, second]: readonly PlainNode[]): boolean =>
    second !== undefined && second.probability > best.probability * (1 - 1e-9);
  let tied = false;

  const below = ({ path, probability }: PlainNode): PlainNode[] => {
    const children = ranked([...prefix, ...path], min / probability)
      .filter(([tokenId]) => tokenId !== endTokenId)
      .map(([tokenId, given]) => ({ path: [...path, tokenId], given, probability: probability * given }))
      .sort((a, b) => b.given - a.given);
    tied ||= ties(children);
    return chain ? children.slice(0, 1) : children;
  };

  const grown: PlainNode[] = [];
  const frontier = below({ path: [], given: 1, probability: 1 });
  while (frontier.length > 0 && grown.length < nodes) {
    frontier.sort((a, b) => b.probability - a.probability);
    tied ||= ties(frontier);
    const [best] = frontier.splice(0, 1);
    grown.push(best);
    if (best.path.length < depth) frontier.push(...below(best));
  }
  return tied ? undefined : grown;
}
