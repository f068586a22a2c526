const decoding = ['packages/speculative/test/speculative.test.ts', 'packages/speculative/test/drafter-faults.test.ts'];

export default [
  {
    file: 'packages/speculative/src/draft-policy.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts'],
    faults: [
      ['return milliseconds + opening < plain;', 'return milliseconds < plain;'],

      ['Math.min(2 ** (this.#unpaid - 1) - 1, LONGEST_PAUSE)', 'LONGEST_PAUSE'],

      ['this.#accepted += accepted;', ''],
    ],
  },
  {
    file: 'packages/speculative/src/draft-tree.ts',
    tests: ['packages/speculative/test/draft-tree.test.ts', 'packages/speculative/test/drafter-faults.test.ts'],
    faults: [
      ['parents[other] === parent && tokenIds[other] === tokenId', 'tokenIds[other] === tokenId'],
      ['parent === kept', 'parent <= kept'],
    ],
  },
  {
    file: 'packages/speculative/src/drafting-times.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts'],
    faults: [['this.#open = least(this.#open, milliseconds / rows);', 'this.#open = least(this.#open, milliseconds);']],
  },
  {
    file: 'packages/speculative/src/guarded-drafts.ts',
    tests: ['packages/speculative/test/drafter-faults.test.ts'],
    faults: [['void releaseLate(opening);', '']],
  },
  {
    file: 'packages/speculative/src/lattice-drafter.ts',
    tests: ['packages/speculative/test/lattice-drafter.test.ts', 'packages/speculative/test/language-model.test.ts'],
    faults: [
      [
        'if (!tokenIds.every((tokenId, position) => prefix[position] === tokenId)) {',
        'if (tokenIds.length > prefix.length) {',
      ],
      ['state.language = model?.next(state.language, tokenId);', ''],
      ['state.language = model?.start();', ''],
    ],
  },
  {
    file: 'packages/speculative/src/lattice-tree.ts',
    tests: [
      'packages/speculative/test/lattice-tree.test.ts',
      'packages/speculative/test/lattice-drafter.test.ts',
      'packages/speculative/test/language-model.test.ts',
    ],
    faults: [
      ['if (at < depth && node + 1 < nodes) {', 'if (at <= depth && node + 1 < nodes) {'],

      ['return path / (parent < 0 ? 1 : (paths[parent] as number));', 'return path;'],
      ['state: parent < 0 ? opinion.state : languageStates[parent],', 'state: opinion.state,'],
      ['next.end < hopeless ? next.end : mean(next.end, after.end())', 'next.end'],
    ],
  },
  {
    file: 'packages/speculative/src/ngram-drafter.ts',
    tests: ['packages/speculative/test/ngram-drafter.test.ts'],
    faults: [
      [
        'continuation(prefix, suffix) ?? continuation(source, suffix)',
        'continuation(source, suffix) ?? continuation(prefix, suffix)',
      ],
    ],
  },
  {
    file: 'packages/speculative/src/open-shared.ts',
    tests: [...decoding, 'packages/speculative/test/conformance.test.ts'],
    faults: [['encoding?.dispose();\n    throw error;', 'throw error;']],
  },
  {
    file: 'packages/speculative/src/speculative-row.ts',
    tests: decoding,
    faults: [
      ['accepted: Math.min(path.length, this.output.length - before),', 'accepted: path.length,'],
      ['this.#limit - this.output.length - 1', 'this.#limit - this.output.length'],
    ],
  },
  {
    file: 'packages/speculative/src/speculative.ts',
    tests: decoding,
    faults: [
      ['await drafts?.finish(row.row);', ''],
      ['else if (counts.accepted < counts.evaluated) forest.retain(row.row, [row.anchor]);', ''],
    ],
  },
];
