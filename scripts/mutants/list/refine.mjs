const rounds = [
  'packages/refine/test/mask-predict.test.ts',
  'packages/refine/test/borders.test.ts',
  'packages/refine/test/unmask-order.test.ts',
  'packages/refine/test/bounded-forwards.test.ts',
];

export default [
  {
    file: 'packages/refine/src/refined-canvas.ts',
    tests: [
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
      'packages/refine/test/mask-predict.test.ts',
    ],
    faults: [
      [
        'changed ||= this.tokenIds[position] !== tokenIds[position];',
        'changed = this.tokenIds[position] !== tokenIds[position];',
      ],
    ],
  },
  {
    file: 'packages/refine/src/mask-schedule.ts',
    tests: ['packages/refine/test/mask-predict.test.ts'],
    faults: [['(length * (total - done)) / total', '(length * (total - done + 1)) / total']],
  },
  {
    file: 'packages/refine/src/mask-ctc.ts',
    tests: [
      'packages/refine/test/mask-ctc.test.ts',
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
    ],
    faults: [
      ['logProbs[position] >= min', 'logProbs[position] > min'],
      ['Math.ceil(masked.length / left)', 'Math.floor(masked.length / left)'],
    ],
  },
  {
    file: 'packages/refine/src/easy-first.ts',
    tests: [
      'packages/refine/test/easy-first.test.ts',
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
    ],
    faults: [['changed = Math.min(changed, first + index);', 'changed = first + index;']],
  },
  {
    file: 'packages/refine/src/unmask-order.ts',
    tests: [
      'packages/refine/test/masked-diffusion.test.ts',
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
    ],
    faults: [['if (count > 0 && sum > bound) break;', 'if (count > 0 && sum >= bound) break;']],
  },
  {
    file: 'packages/refine/src/masked-diffusion.ts',
    tests: [
      'packages/refine/test/masked-diffusion.test.ts',
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
    ],
    faults: [['|| row.endsWithin(canvas.tokenIds, block.end)', '']],
  },
  {
    file: 'packages/refine/src/refine-rows.ts',
    tests: [...rounds, 'packages/refine/test/levenshtein.test.ts', 'packages/refine/test/edit-refusals.test.ts'],
    faults: [
      ["finishReason === 'end-token' ? tokenIds.length + 1 : tokenIds.length", 'tokenIds.length'],
      ['meanLogProb(shown.logProbs) + (candidate.bonus ?? 0)', 'meanLogProb(shown.logProbs)'],
    ],
  },
  {
    file: 'packages/refine/src/edited-canvas.ts',
    tests: [
      'packages/refine/test/levenshtein.test.ts',
      'packages/refine/test/edit-refusals.test.ts',
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
    ],
    faults: [
      ['(deletions[position] > min)', '(deletions[position] >= min)'],

      ['position <= given || position', 'position < given || position'],
    ],
  },
  {
    file: 'packages/refine/src/lattice-search.ts',
    tests: ['packages/refine/test/broken-answers.test.ts', 'packages/refine/test/lattice-search.test.ts'],
    faults: [['    seed,\n', '']],
  },
];
