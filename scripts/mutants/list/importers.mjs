export default [
  {
    file: 'packages/importers/src/blocks/relative-positions.ts',
    tests: ['packages/models/test/encoder-decoder.test.ts'],
    faults: [
      ['number(bothWays ? maxDistance : 0)', 'number(0)'],
      ['bothWays && distance > 0 ? own : 0', '0'],
    ],
  },
  {
    file: 'packages/importers/src/tensors/quantise-blocks.ts',
    tests: ['packages/importers/test/quantise-blocks.test.ts'],
    faults: [
      ['zeros.set(row, block, zero);', ''],
      ['Math.min(begin + size, (row + 1) * columns)', 'begin + size'],
      ['scales[row * blocks + block] = scale;', 'scales[row * blocks] = scale;'],
      ['column % 2 === 0 ? whole : whole << 4', 'column % 2 === 1 ? whole : whole << 4'],
      ['let smallest = 0;', 'let smallest = values[begin];'],
      ['Math.ceil((columns * bits) / 8)', 'Math.floor((columns * bits) / 8)'],
    ],
  },
  {
    file: 'packages/importers/src/blocks/quantised-product.ts',
    tests: ['packages/importers/test/quantised-product.test.ts', 'packages/models/test/quantised-weights.test.ts'],
    faults: [
      [
        "const product = quantisedProduct(graph, more, name, matrix, bits, undefined, tableBlockSize(matrix.dims[1]));\n  return graph.op('Slice', [product, list(0), list(-1), list(0)]);",
        'return quantisedProduct(graph, rows, name, matrix, bits, undefined, tableBlockSize(matrix.dims[1]));',
      ],
      ["graph.op('Sub', [whole(quantised), ofBlock(whole(zeros))])", 'whole(quantised)'],
      ['if (columns % size === 0) return rows;', 'return rows;'],
    ],
  },
  {
    file: 'packages/importers/src/tensors/half-storage.ts',
    tests: ['packages/importers/test/import-weights.test.ts', 'packages/models/test/weights-float16.test.ts'],
    faults: [['if (max >= TOO_LARGE) return undefined;', '']],
  },
  {
    file: 'packages/importers/src/readers/npz/open-npz.ts',
    tests: ['packages/importers/test/npz.test.ts'],
    faults: [
      ['    pace.throwIfAborted();\n    throw damaged', '    throw damaged'],
      ['source += index[last] * strides[last];', ''],
      ['if (done < PIECE) continue;', 'continue;'],
    ],
  },
  {
    file: 'packages/importers/src/adapters/score-values.ts',
    tests: [
      'packages/importers/test/ctc-import.test.ts',
      'packages/importers/test/ctc-refusals.test.ts',
      'packages/importers/test/recurrent-steps.test.ts',
      'packages/importers/test/recurrent-step-refusals.test.ts',
    ],
    faults: [
      ['if (wrong >= 0 || found < 0) {', 'if (wrong >= 0) {'],
      ['!(score < Number.POSITIVE_INFINITY)', 'Number.isNaN(score)'],
    ],
  },
  {
    file: 'packages/importers/src/adapters/ctc/ctc-probe.ts',
    tests: ['packages/importers/test/ctc-import.test.ts', 'packages/importers/test/ctc-refusals.test.ts'],
    faults: [['    this.#yielder.throwIfAborted();\n', '']],
  },
  {
    file: 'packages/importers/src/readers/gguf/gguf-header.ts',
    tests: ['packages/importers/test/gguf-hostile.test.ts'],
    faults: [['if (index % ITEMS === 0 && this.#pace.due()) await this.#pace.yield();', '']],
  },
  {
    file: 'packages/importers/src/readers/marian-bin/open-marian-bin.ts',
    tests: ['packages/models/test/marian-bin.test.ts'],
    faults: [["shape.length === 2 && !name.endsWith('Wemb')", 'shape.length === 2']],
  },
  {
    file: 'packages/importers/src/readers/marian-bin/item-headers.ts',
    tests: ['packages/importers/test/marian-bin-hostile.test.ts'],
    faults: [
      ['if (bytes === 0 || needed > length) {', 'if (bytes === 0) {'],
      ['return size >= 1 ? size', 'return size >= -1000 ? size'],
    ],
  },
];
