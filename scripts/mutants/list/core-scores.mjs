export default [
  {
    file: 'packages/core/src/kit/row-output.ts',
    tests: [
      'packages/core/test/text-stops.test.ts',
      'packages/core/test/stop-constraints.test.ts',
      'packages/greedy/test/greedy.test.ts',
      'packages/beam/test/new-tokens.test.ts',
    ],
    faults: [
      ['const room = maxLength - prefixLength + 1;', 'const room = maxLength - prefixLength;'],
      [
        'return Math.min(room, given + (request.maxNewTokens ?? room));',
        'return Math.min(room, request.maxNewTokens ?? room);',
      ],
      ['const min = minNewTokens === 0 ? 0 : given + minNewTokens;', 'const min = minNewTokens;'],
    ],
  },
  {
    file: 'packages/core/src/kit/output-bounds.ts',
    tests: [
      'packages/core/test/text-stops.test.ts',
      'packages/core/test/stop-constraints.test.ts',
      'packages/greedy/test/greedy.test.ts',
      'packages/beam/test/new-tokens.test.ts',
    ],
    faults: [
      ["return length >= this.max ? 'length' : undefined;", "return length > this.max ? 'length' : undefined;"],
      ['if (met !== undefined && length >= this.min) return met;', 'if (met !== undefined) return met;'],
    ],
  },
  {
    file: 'packages/core/src/kit/token-pattern.ts',
    tests: [
      'packages/core/test/text-stops.test.ts',
      'packages/core/test/stop-constraints.test.ts',
      'packages/beam/test/constrained-beam.test.ts',
    ],
    faults: [['length = this.border(length);', 'length = 0;']],
  },
  {
    file: 'packages/core/src/kit/text-tail.ts',
    tests: ['packages/core/test/text-stops.test.ts', 'packages/core/test/stop-constraints.test.ts'],
    faults: [
      ['known - string.length + 1', 'known - string.length + 2'],
      ['largest(stops.strings.map(({ length }) => length)) - 1', 'stops.strings[0].length - 1'],
    ],
  },
  {
    file: 'packages/core/src/tensor/truncation.ts',
    tests: ['packages/core/test/truncation.test.ts', 'packages/greedy/test/sampling.test.ts'],
    faults: [
      ['if (sum < mass && order.length === count) continue;', ''],
      ['(sum < mass || kept === 0)', '(sum <= mass || kept === 0)'],
      ['const min = scores[best] + Math.log(ratio);', 'const min = scores[best] - Math.log(ratio);'],
      ['-Math.abs(-logProb - entropy)', '-Math.abs(-logProb + entropy)'],
      [
        'Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy))',
        'Math.max(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy))',
      ],
    ],
  },
  {
    file: 'packages/core/src/tensor/top-k.ts',
    tests: ['packages/core/test/top-k.test.ts'],
    faults: [
      ['(difference === 0 && a > b)', '(difference === 0 && a < b)'],
      ['(size >> 1) - 1; at >= 0', '(size >> 1) - 1; at > 0'],
      ['if (scores[index] > max) {', 'if (scores[index] >= max) {'],
    ],
  },
  {
    file: 'packages/core/src/kit/score-processors.ts',
    tests: [
      'packages/core/test/score-processors.test.ts',
      'packages/greedy/test/score-rules.test.ts',
      'packages/greedy/test/rule-pairs.test.ts',
      'packages/beam/test/new-tokens.test.ts',
    ],
    faults: [
      ['score < 0 ? score * penalty : score / penalty', 'score < 0 ? score / penalty : score * penalty'],
      ['new Set([...prefix, ...output])', 'new Set(output)'],
      ['seen.add(tokenId);', ''],
      ['const context = tokenIds.length - (size - 1);', 'const context = tokenIds.length - size;'],
      ['if (output.length - given < (ofRow(min, row) ?? 0))', 'if (output.length < (ofRow(min, row) ?? 0))'],
      ['scores[forced] = score === RULED_OUT ? 0 : score;', 'scores[forced] = score;'],
      ['if (begin < 0) continue;', 'if (begin <= 0) continue;'],
    ],
  },
  {
    file: 'packages/core/src/kit/score-rules.ts',
    tests: [
      'packages/greedy/test/rule-pairs.test.ts',
      'packages/greedy/test/score-rules.test.ts',
      'packages/beam/test/stop-bound.test.ts',
      'packages/beam/test/stop-reference.test.ts',
    ],
    faults: [
      ['frequencyPenalty < 0 || presencePenalty < 0 || own.length > 0', 'frequencyPenalty < 0 || own.length > 0'],
      ['if (repetitionPenalty !== 1) compiled.push', 'if (repetitionPenalty > 1) compiled.push'],
      ['position > max || (position === max && tokenId !== endTokenId)', 'position > max'],
    ],
  },
  {
    file: 'packages/core/src/tensor/score-checks.ts',
    tests: ['packages/core/test/score-checks.test.ts'],
    faults: [
      [
        'if (scores[index] < Number.POSITIVE_INFINITY) continue;',
        'if (!(scores[index] >= Number.POSITIVE_INFINITY)) continue;',
      ],
      ['for (let index = begin; index < end; index++) {', 'for (let index = begin; index < end - 1; index++) {'],
    ],
  },
  {
    file: 'packages/core/src/tensor/philox.ts',
    tests: ['packages/core/test/philox.test.ts'],
    faults: [
      ['round < 10', 'round < 9'],
      ['(high >>> 5) * 0x4000000', '(high >>> 6) * 0x4000000'],
    ],
  },
  {
    file: 'packages/core/src/tensor/sample-token.ts',
    tests: ['packages/greedy/test/sampling.test.ts'],
    faults: [['const wanted = uniform * total;', 'const wanted = uniform;']],
  },
  {
    file: 'packages/core/src/kit/forward-cells.ts',
    tests: ['packages/core/test/forward-cells.test.ts'],
    faults: [
      ['(part.length + 1) * longest <= maxCells', 'part.length * longest <= maxCells'],
      ['parts.push([item]);\n    longest = lengthOf(item);', 'parts.push([item]);'],
    ],
  },
];
