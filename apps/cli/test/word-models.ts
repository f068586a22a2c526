import type { CtcLattice, NewNodes, TokenForest, TokenSource } from '@foretoken/core';
import { nodeIdOf, ROOT } from '@foretoken/core/kit';

export const GERMAN = ['<pad>', '<unk>', '</s>', '<start>', 'ein', 'Hund', 'läuft', 'auf', 'Gras', 'Mann', 'sitzt'];
export const VOCABULARY = { size: GERMAN.length, endTokenId: 2, padTokenId: 0, unknownTokenId: 1 };
export const START = 3;

/** A forest that says the source's words in the other language, one by one. */
export function wordForest(sources: readonly TokenSource[], onForward: () => void, onDispose: () => void): TokenForest {
  const depths: number[] = [];
  const forest = {
    rows: sources.length,
    start: () => ({ prefix: Int32Array.of(START), cached: 0, node: ROOT }),
    extend: async (nodes: NewNodes) => {
      onForward();
      const firstNode = depths.length;
      const tokenIds = Array.from(nodes.parent, (parent, index) => {
        const depth = parent === ROOT ? 0 : depths[nodeIdOf(parent, firstNode)] + 1;
        depths.push(depth);
        return sources[nodes.row[index]][depth] ?? VOCABULARY.endTokenId;
      });
      const wanted = tokenIds.filter((_, index) => nodes.scored === undefined || nodes.scored[index] === 1);
      return { kind: 'argmax', firstNode, tokenIds: Int32Array.from(wanted) };
    },
    retain: () => {},
    finish: () => {},
    [Symbol.asyncDispose]: async () => onDispose(),
  };
  return forest as TokenForest;
}

/** The same all at once, with mistakes. */
export function wordLattice(source: TokenSource): CtcLattice {
  const words = Array.from(source).slice(0, -1);
  // A blank after every label, so that doubled words stay two.
  const labels = words.flatMap((word, index) => [index % 3 === 2 ? (word === 4 ? 5 : 4) : word, 0]);
  return {
    kind: 'ctc',
    frames: labels.length,
    k: 1,
    blankId: 0,
    tokenIds: Int32Array.from(labels),
    logProbs: new Float32Array(labels.length).fill(Math.log(0.9)),
    blankLogProbs: Float32Array.from(labels, (label) => Math.log(label === 0 ? 0.9 : 0.05)),
  };
}
