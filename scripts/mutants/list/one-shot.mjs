const narrowSearch = [
  'packages/one-shot/test/ctc-narrow.test.ts',
  'packages/one-shot/test/ctc-prefix-beam.test.ts',
  'packages/one-shot/test/ctc-cuts.test.ts',
];
const dagSearch = [
  'packages/one-shot/test/dag-bounds.test.ts',
  'packages/one-shot/test/dag-search.test.ts',
  'packages/one-shot/test/dag-cuts.test.ts',
  'packages/one-shot/test/language-model-calls.test.ts',
  'packages/one-shot/test/dag-language-models.test.ts',
  'packages/one-shot/test/dag-start-token.test.ts',
];

export default [
  {
    file: 'packages/one-shot/src/dag/dag-decoder.ts',
    tests: ['packages/one-shot/test/reported-lattices.test.ts'],
    faults: [
      ['firstFrames: alignment.firstFrames.subarray(1)', 'firstFrames: alignment.firstFrames.subarray(0, -1)'],
      [': found.map(withoutPath)', ': found'],
    ],
  },
  {
    file: 'packages/one-shot/src/ctc/prefix-search.ts',
    tests: narrowSearch,
    faults: [
      [
        'masses[childPlace] = logAdd(masses[childPlace], logProb);',
        'masses[childPlace] = Math.max(masses[childPlace], logProb);',
      ],
      ['tokenId === trie.tokenIds[node] ? blanks[place] : totals[place]', 'totals[place]'],

      ['const masses = ends.isOver(child) ? stayed.cuts : stayed.labels;', 'const masses = stayed.labels;'],
      ['nodes.length < options.beamSize ? kept : Math.max(worst, kept)', 'Math.max(worst, kept)'],
    ],
  },
  {
    file: 'packages/one-shot/src/ctc/prefix-bonus.ts',
    tests: ['packages/one-shot/test/ctc-narrow.test.ts', 'packages/one-shot/test/language-model-calls.test.ts'],
    faults: [
      ['sum += weight * this.#checked(model.end(this.#states[index]?.[node]), node);', ''],
      ['options.models.filter(({ weight }) => weight !== 0)', 'options.models'],
    ],
  },
  {
    file: 'packages/one-shot/src/ctc/output-log-prob.ts',
    tests: ['packages/one-shot/test/ctc-cuts.test.ts', 'packages/one-shot/test/ctc-prefix-beam.test.ts'],
    faults: [['place > 0 && output[place] !== output[place - 1]', 'place > 0']],
  },
  {
    file: 'packages/one-shot/src/ctc/ctc-rescoring.ts',
    tests: ['packages/one-shot/test/ctc-rescoring.test.ts'],
    faults: [['(weight === 0 ? 0 : weight * logProb)', 'weight * logProb']],
  },
  {
    file: 'packages/one-shot/src/ctc/no-repeat.ts',
    tests: ['packages/one-shot/test/no-repeat.test.ts', 'packages/one-shot/test/ctc-prefix-beam.test.ts'],
    faults: [['found.add(tokenIds[at]);', 'found.add(tokenIds[prefix] as number);']],
  },
  {
    file: 'packages/one-shot/src/dag/prefix-beam.ts',
    tests: dagSearch,
    faults: [
      [
        'Math.max(both / (length + 1) ** lengthPenalty, both / graph.vertices ** lengthPenalty)',
        'both / (length + 1) ** lengthPenalty',
      ],
      ['const gain = this.#maxGain * (graph.vertices - length);', 'const gain = 0;'],
      ['whatever + fused + this.#maxGain', 'whatever + fused'],
      ['logAdd(max.begun, max.unbegun)', 'Math.max(max.begun, max.unbegun)'],
      ['? Math.max(1, length - 1) : length;', '? length : length;'],
      ['if (prefix.state === PENDING) prefix.state', 'prefix.state'],
    ],
  },
  {
    file: 'packages/one-shot/src/dag/found-outputs.ts',
    tests: dagSearch,
    faults: [
      ['entry.sum = logAdd(entry.sum, sum);', 'entry.sum = Math.max(entry.sum, sum);'],
      [
        'entry.score = entry.sum / entry.max.length ** this.#lengthPenalty;',
        'entry.score = entry.sum / tokenIds.length ** this.#lengthPenalty;',
      ],
      ['[Math.max(1, length - 2), length + 2]', '[Math.max(1, length - 1), length + 1]'],
    ],
  },
  {
    file: 'packages/one-shot/src/dag/dag-reach.ts',
    tests: dagSearch,
    faults: [['max[vertex] + Math.log(sums[vertex])', 'max[vertex]']],
  },
  {
    file: 'packages/one-shot/src/dag/dag-viterbi.ts',
    tests: dagSearch,
    faults: [
      [
        'Math.max(sum / (length + 1) ** lengthPenalty, sum / max ** lengthPenalty)',
        'sum / (length + 1) ** lengthPenalty',
      ],
    ],
  },
  {
    file: 'packages/one-shot/src/nat/collapse-repeats.ts',
    tests: ['packages/one-shot/test/nat.test.ts'],
    faults: [['position < given || kept[last] !== tokenId', 'kept[last] !== tokenId']],
  },
  {
    file: 'packages/one-shot/src/nat/no-repeat.ts',
    tests: ['packages/one-shot/test/no-repeat.test.ts'],
    faults: [['if (!follows(before)) continue;', '']],
  },
  {
    file: 'packages/one-shot/src/nat/rescored.ts',
    tests: ['packages/one-shot/test/nat-rescoring.test.ts'],
    faults: [['output.length + (endTokenId === undefined ? 0 : 1)', 'output.length']],
  },
  {
    file: 'packages/one-shot/src/rescoring/score-with-model.ts',
    tests: ['packages/one-shot/test/score-with-model.test.ts'],
    faults: [
      ['totalOf(leaf) + (endTokenId === undefined ? 0 : logProbAfter(leaf, endTokenId))', 'totalOf(leaf)'],
      ['prefix.subarray(cached)', 'prefix'],
    ],
  },
  {
    file: 'packages/one-shot/src/dag/dag-decoder.ts',
    tests: ['packages/models/test/dag-start.test.ts'],
    faults: [['const { startTokenId = model.startTokenId } = options;', 'const { startTokenId } = options;']],
  },
  {
    file: 'packages/one-shot/src/dag/dag-beam.ts',
    tests: ['packages/models/test/dag-start.test.ts'],
    faults: [['{ ...settings, startTokenId }', 'settings']],
  },
];
