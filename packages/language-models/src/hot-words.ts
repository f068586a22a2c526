import { ForetokenError } from '@foretoken/core';
import { fields, listOf, number, type OptionReader, tokenList } from '@foretoken/core/kit';
import type { LanguageModel } from './language-model.js';
import { EMPTY_PREFIX, PrefixTrie } from './prefix-trie.js';

/** A phrase that outputs should rather hold. */
export interface HotWord {
  /** At least one token. */
  readonly tokenIds: ArrayLike<number>;
  /** Natural-log bonus of each occurrence, overlapping ones included; at least 0. */
  readonly bonus: number;
}

const readAll: OptionReader<readonly HotWord[]> = listOf(
  fields<HotWord>({ tokenIds: tokenList, bonus: number(0, 1e6) }, ['tokenIds', 'bonus']),
);

/** Throws `INVALID_ARGUMENT` for a phrase without tokens, that comes twice, or whose bonus is out of range. */
export const hotWords: OptionReader<readonly HotWord[]> = (name, value) => {
  const phrases = readAll(name, value);
  const seen = new Set<string>();
  for (const [index, { tokenIds }] of phrases.entries()) {
    const key = Array.from(tokenIds).join();
    if (tokenIds.length > 0 && !seen.has(key)) seen.add(key);
    else {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${name}[${index}] ${tokenIds.length === 0 ? 'has no tokens' : 'comes twice'}; distinct phrases are required.`,
        { option: name, index, received: Array.from(tokenIds) },
      );
    }
  }
  return phrases;
};

/**
 * Hot words as a language model: a search that has said part of a phrase has that part of its bonus, and gives it back when
 * something else follows. The automaton of Aho and Corasick (1975) knows the longest phrase under way, whatever it began in.
 *
 * What an output has in the end is the bonus of each phrase it holds, for each time. Throws `INVALID_ARGUMENT` as `hotWords`
 * does.
 */
export function hotWordModel(phrases: readonly HotWord[]): LanguageModel<number> {
  phrases = hotWords('phrases', phrases);
  const trie = new PrefixTrie();
  const depths = [0];
  /** Bonus of the phrases that end here. */
  const completed = [0];
  /** Bonus per token of the best phrase that goes on from here. */
  const rates = [0];
  for (const { tokenIds, bonus } of phrases) {
    let node: number = EMPTY_PREFIX;
    for (const tokenId of Array.from(tokenIds)) {
      rates[node] = Math.max(rates[node], bonus / tokenIds.length);
      let child = trie.child(node, tokenId);
      if (child < 0) {
        child = trie.add(node, tokenId);
        depths.push(depths[node] + 1);
        completed.push(0);
        rates.push(0);
      }
      node = child;
    }
    completed[node] = completed[node] + bonus;
  }
  /** The longest proper suffix under way. */
  const shorter = new Int32Array(depths.length);
  /** What is on loan for phrases under way. */
  const partial = new Float64Array(depths.length);
  const next = (state: number, tokenId: number): number => {
    for (let node = state; ; node = shorter[node]) {
      const child = trie.child(node, tokenId);
      if (child >= 0) return child;
      if (node === EMPTY_PREFIX) return EMPTY_PREFIX;
    }
  };
  // Shorter phrases first, since a node builds on its suffix.
  const byDepth = depths.map((_, node) => node).sort((a, b) => depths[a] - depths[b]);
  for (const node of byDepth) {
    if (node === EMPTY_PREFIX) continue;
    const parent = trie.parents[node];
    const suffix = parent === EMPTY_PREFIX ? 0 : next(shorter[parent], trie.tokenIds[node]);
    shorter[node] = suffix;
    completed[node] = completed[node] + completed[suffix];
    partial[node] = Math.max(partial[suffix], rates[node] * depths[node]);
  }
  return {
    start: () => 0,
    score: (state, tokenId) => {
      const after = next(state, tokenId);
      return completed[after] + partial[after] - partial[state];
    },
    next,
    end: (state) => -partial[state],
  };
}
