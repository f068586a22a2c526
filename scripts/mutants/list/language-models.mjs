const laws = [
  'packages/language-models/test/laws.test.ts',
  'packages/language-models/test/language-models.test.ts',
  'packages/language-models/test/hot-words.test.ts',
];

export default [
  {
    file: 'packages/language-models/src/backoff-model.ts',
    tests: ['packages/language-models/test/backoff-model.test.ts', ...laws],
    faults: [
      ['weight += this.#backoffs[history];', ''],
      ['this.#backoffs.every((backoff) => backoff <= 0) ? 0 : undefined', '0'],
    ],
  },
  {
    file: 'packages/language-models/src/arpa-reader.ts',
    tests: ['packages/language-models/test/backoff-model.test.ts'],
    faults: [
      ['logProb: clipped * Math.LN10', 'logProb: clipped * Math.LN2'],
      ['if (order > 0 && found !== counts.get(order)) {', 'if (order > 0 && found > (counts.get(order) ?? 0)) {'],
    ],
  },
  {
    file: 'packages/language-models/src/ngram-model.ts',
    tests: ['packages/language-models/test/ngram-model.test.ts', ...laws],
    faults: [
      ['return backoff * this.#pairProbability(last, tokenId);', 'return this.#pairProbability(last, tokenId);'],
      ['return endTokenId < 0 ? 1 : this.probability(endTokenId);', 'return this.probability(endTokenId);'],
      ['every(areAtMostOne) ? 0 : undefined;', 'every(areAtMostOne) ? 0 : 0;'],
      ['new LookedUpState(this.#lookup, last, tokenId)', 'new LookedUpState(this.#lookup, tokenId, tokenId)'],
    ],
  },
  {
    file: 'packages/language-models/src/hot-words.ts',
    tests: laws,
    faults: [
      ['Math.max(partial[suffix], rates[node] * depths[node])', 'rates[node] * depths[node]'],
      ['completed[node] = completed[node] + completed[suffix];', ''],
    ],
  },
  {
    file: 'packages/language-models/src/word-trie-model.ts',
    tests: laws,
    faults: [
      ['const late = node !== NO_WORD && known < 0 ? unknownWordBonus : 0;', 'const late = 0;'],
      ['const lost = longer === NO_WORD && node !== NO_WORD;', 'const lost = longer === NO_WORD;'],
      ['if (node === root) return { score: 0, history };', ''],
    ],
  },
  {
    file: 'packages/language-models/src/weighted-sum.ts',
    tests: laws,
    faults: [
      ['.filter(({ weight }) => weight > 0)', ''],
      ['total + weight * maxScore', 'total + maxScore'],
      ['if (sizes.size > 1) {', 'if (sizes.size > 2) {'],
    ],
  },
  {
    file: 'packages/language-models/src/language-model-option.ts',
    tests: ['packages/language-models/test/language-model-option.test.ts'],
    faults: [
      ['vocabularySize === undefined || vocabularySize === size', 'vocabularySize !== size + 1'],
      ["if (typeof result === 'number') return result;", 'return result as number;'],
    ],
  },
];
