export default [
  {
    file: 'packages/greedy/src/decode-rows.ts',
    tests: ['packages/greedy/test/greedy.test.ts', 'packages/greedy/test/sampling.test.ts'],
    faults: [
      [
        'if (leaves.length === 0) forest.finish(row);\n        else forest.retain(row, leaves);',
        'if (leaves.length > 0) forest.retain(row, leaves);',
      ],

      ['sample, output.fork()', 'sample, output'],

      ['if (readers[0]?.rowOutput.finishReason) forest.finish(row);', '{}'],
    ],
  },
  {
    file: 'packages/greedy/src/token-choice.ts',
    tests: [
      'packages/greedy/test/greedy.test.ts',
      'packages/greedy/test/sampling.test.ts',
      'packages/greedy/test/score-rules.test.ts',
      'packages/beam/test/impossible-scores.test.ts',
    ],
    faults: [
      ['const scores = last && !details.logProbs ? raw : raw.slice();', 'const scores = raw;'],
      ['if (rules.length > 0) assertScores(scores, row, output.length);', ''],

      ['tokenIds[a] - tokenIds[b]', 'tokenIds[b] - tokenIds[a]'],
    ],
  },
  {
    file: 'packages/greedy/src/mirostat.ts',
    tests: ['packages/greedy/test/sampling.test.ts'],
    faults: [
      ['bound - this.#rate * (surprise', 'bound + this.#rate * (surprise'],
      ['this.#bounds.get(hypothesis) ?? 2 * this.#target', '2 * this.#target'],
    ],
  },
  {
    file: 'packages/greedy/src/open-hypothesis.ts',
    tests: ['packages/greedy/test/greedy.test.ts', 'packages/greedy/test/sampling.test.ts'],
    faults: [['start.prefix.subarray(start.cached)', 'start.prefix']],
  },
  {
    file: 'packages/beam/src/branch.ts',
    tests: ['packages/beam/test/beam-search.test.ts'],
    faults: [
      ['prefix.subarray(cached)', 'prefix'],
      ['prefix.subarray(cached)', 'prefix.subarray(prefix.length - 1)'],
    ],
  },
  {
    file: 'packages/beam/src/beam-row.ts',
    tests: [
      'packages/beam/test/search-details.test.ts',
      'packages/beam/test/new-tokens.test.ts',
      'packages/beam/test/beam-search.test.ts',
    ],
    faults: [
      [
        '} else if (rank < beamSize) {',
        '} else if (rank < 2 * beamSize) {',
        ['packages/beam/test/stop-bound.test.ts', 'packages/beam/test/stop-reference.test.ts'],
      ],
      [
        'const score = normalise(logProb, from.branch.length + 1 - this.#given);',
        'const score = normalise(logProb, from.branch.length + 1);',
      ],
    ],
  },
  {
    file: 'packages/beam/src/search-loop.ts',
    tests: ['packages/beam/test/forced-tokens.test.ts'],
    faults: [['Math.min(forcedTokens, prefix.length - 1 + root.length)', 'Math.min(forcedTokens, root.length)']],
  },
  {
    file: 'packages/beam/src/finished-list.ts',
    tests: [
      'packages/beam/test/search-details.test.ts',
      'packages/beam/test/beam-search.test.ts',
      'packages/beam/test/stop-bound.test.ts',
      'packages/beam/test/stop-reference.test.ts',
    ],
    faults: [
      ["if (stopWhen === 'improvement-impossible' && mayRaise) return false;", ''],

      ['this.#entries.at(-1)?.score', 'this.#entries[0]?.score'],
      [
        'if (this.#entries.length < this.#max) return false;',
        'if (this.#entries.length < this.#max - 1) return false;',
      ],
    ],
  },
  {
    file: 'packages/beam/src/continuations.ts',
    tests: ['packages/beam/test/impossible-scores.test.ts', 'packages/beam/test/beam-search.test.ts'],
    faults: [['if (logProb === Number.NEGATIVE_INFINITY) return undefined;', '']],
  },
  {
    file: 'packages/beam/src/diverse-row.ts',
    tests: [
      'packages/beam/test/search-details.test.ts',
      'packages/beam/test/stop-bound.test.ts',
      'packages/beam/test/stop-reference.test.ts',
    ],
    faults: [['if (tokenId !== this.#endTokenId) taken.set', 'taken.set']],
  },
  {
    file: 'packages/beam/src/constrained-row.ts',
    tests: ['packages/beam/test/constrained-beam.test.ts', 'packages/beam/test/new-tokens.test.ts'],
    faults: [
      [
        "progress.complete && (finishReason !== 'end-token' || rank < 2 * beamSize)",
        "finishReason !== 'end-token' || rank < 2 * beamSize",
      ],
      ['.sort((a, b) => b - a).map((bank)', '.sort((a, b) => a - b).map((bank)'],
    ],
  },
  {
    file: 'packages/beam/src/phrase-progress.ts',
    tests: ['packages/beam/test/constrained-beam.test.ts', 'packages/beam/test/new-tokens.test.ts'],
    faults: [['if (held.length < occurred[form]) {', 'if (occurred[form] > 0) {']],
  },
  {
    file: 'packages/beam/src/contrastive-row.ts',
    tests: ['packages/beam/test/contrastive-search.test.ts'],
    faults: [
      ['(highest, other) => Math.max(highest, dot(own, other)), -1)', '(sum, other) => sum + dot(own, other), 0)'],
    ],
  },
  {
    file: 'packages/beam/src/stochastic-row.ts',
    tests: ['packages/beam/test/stochastic-beam.test.ts'],
    faults: [
      ['Math.log1p(-Math.exp(value - max))', 'Math.log1p(Math.exp(value - max))'],
      [
        'this.#stream.uniforms(branch.length, index, all.length)',
        'this.#stream.uniforms(branch.length, 0, all.length)',
      ],
    ],
  },
  {
    file: 'packages/beam/src/search-loop.ts',
    tests: ['packages/beam/test/branches.test.ts'],
    faults: [['finished: !running.includes(branch)', 'finished: false']],
  },
  {
    file: 'packages/beam/src/search-loop.ts',
    tests: ['packages/beam/test/search-details.test.ts', 'packages/beam/test/beam-search.test.ts'],
    faults: [
      [
        'if (rowSearch.running.length === 0) forest.finish(row);\n        else forest.retain',
        'if (rowSearch.running.length > 0) forest.retain',
      ],

      ['if (!active.includes(row)) forest.finish(row.row);', '{}'],
    ],
  },
  {
    file: 'packages/beam/src/search-loop.ts',
    tests: ['packages/beam/test/token-log-probs.test.ts'],
    faults: [['tokenLogProbs && rules.length > 0 ? logProbs.slice() : logProbs', 'logProbs']],
  },
];
