const replacing = ['packages/models/test/folder-replace.test.ts', 'packages/models/test/folder-replaced.test.ts'];

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
    file: 'packages/models/src/processors/language-processor.ts',
    tests: ['packages/models/test/encoder-decoder-folders.test.ts'],
    faults: [['Object.hasOwn(tokens, code)', 'code in tokens']],
  },
  {
    file: 'packages/speculative/src/speculative-row.ts',
    tests: ['packages/models/test/encoder-decoder.test.ts'],
    faults: [['[...prefix.subarray(cached), ...output.tokenIds()]', 'prefix.subarray(cached)']],
  },
  {
    file: 'packages/models/src/node/safe-file.ts',
    tests: ['packages/models/test/safe-file.test.ts'],
    faults: [
      ['total > open.bytes || (bytesRead === 0 && total < open.bytes)', 'bytesRead === 0 && total < open.bytes'],
    ],
  },
  {
    file: 'packages/models/src/io/read-file.ts',
    tests: ['packages/models/test/folder-read.test.ts', ...replacing],
    faults: [['    checkDigest(place, hasher.digest(), record.sha256);\n', '']],
  },
  {
    file: 'packages/models/src/folder/read-folder.ts',
    tests: ['packages/models/test/folder-read.test.ts', ...replacing],
    faults: [
      ['attempt === MAX_ATTEMPTS || (await readText()) === text', 'attempt === 1 || (await readText()) === text'],
    ],
  },
  {
    file: 'packages/models/src/folder/write-folder.ts',
    tests: ['packages/models/test/folder-write.test.ts', 'packages/models/test/folder-replace.test.ts'],
    faults: [['await prove?.(folder);', '']],
  },
  {
    file: 'packages/models/src/folder/replace-files.ts',
    tests: replacing,
    faults: [
      ['if (same === undefined) await rm(files, { recursive: true, force: true });', ''],

      ['await removeUnlisted(path, old).catch(() => undefined);', ''],
    ],
  },
  {
    file: 'packages/models/src/folder/staging.ts',
    tests: ['packages/models/test/folder-replace.test.ts', 'packages/models/test/killed-runs.test.ts'],
    faults: [
      ["owner !== undefined && (await stateOf(owner)) !== 'ended') continue;", 'owner === undefined) continue;'],
    ],
  },
  {
    file: 'packages/models/src/folder/file-names.ts',
    tests: ['packages/models/test/folder-read.test.ts'],
    faults: [['&& !DEVICE.test(segment)', '']],
  },
  {
    file: 'packages/models/src/onnx/external-data.ts',
    tests: ['packages/models/test/external-data.test.ts'],
    faults: [
      ["function: { 7: 'node', 11: 'attribute' }", "function: { 7: 'node' }"],
      ["if (path !== 'model.graph.tensor') nested.add(location);", ''],
    ],
  },
  {
    file: 'packages/importers/src/tensors/quantise-blocks.ts',
    tests: ['packages/importers/test/quantise-blocks.test.ts'],
    faults: [
      ['zeros.set(row, block, zero);', ''],
      ['Math.min(begin + BLOCK_SIZE, (row + 1) * columns)', 'begin + BLOCK_SIZE'],
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
        "const product = quantisedProduct(graph, more, name, matrix, bits);\n  return graph.op('Slice', [product, list(0), list(-1), list(0)]);",
        'return quantisedProduct(graph, rows, name, matrix, bits);',
      ],
      ["graph.op('Sub', [whole(quantised), ofBlock(whole(zeros))])", 'whole(quantised)'],
      ['if (columns % BLOCK_SIZE === 0) return rows;', 'return rows;'],
    ],
  },
  {
    file: 'packages/importers/src/tensors/half-storage.ts',
    tests: ['packages/importers/test/import-weights.test.ts', 'packages/models/test/weights-float16.test.ts'],
    faults: [['if (max >= TOO_LARGE) return undefined;', '']],
  },
  {
    file: 'packages/models/src/hugging-face/generation-config.ts',
    tests: ['packages/importers/test/generation-config.test.ts'],
    faults: [["[...reader.badWords([end]), ...reader.tokens('suppress_tokens')]", '[...reader.badWords([end])]']],
  },
  {
    file: 'packages/models/src/tokenizer/text-tokenizer.ts',
    tests: ['packages/models/test/tokenizer-text.test.ts'],
    faults: [
      ['assertSourceTokens(ended.length, sourceLength);', 'assertSourceTokens(ids.length, sourceLength);'],
      [
        'new Set([...specialTokenIds, vocabulary.endTokenId, vocabulary.padTokenId])',
        'new Set([...specialTokenIds, vocabulary.endTokenId])',
      ],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/check-tokenizer.ts',
    tests: ['packages/models/test/tokenizer-hostile.test.ts'],
    faults: [['shortest === 0 ? content + 1 : Math.max(1, content / shortest)', 'Math.max(1, content)']],
  },
  {
    file: 'packages/models/src/drivers/probe.ts',
    tests: ['packages/models/test/probe.test.ts'],
    faults: [['last !== undefined && last.level > pool.level', 'last !== undefined && last.level < pool.level']],
  },
  {
    file: 'packages/models/src/drivers/probe-threads.ts',
    tests: ['packages/models/test/probe.test.ts', 'packages/models/test/probe-threads.test.ts'],
    faults: [['for (const way of ways) await budget.spend(way);', '']],
  },
  {
    file: 'packages/models/src/drivers/length-groups.ts',
    tests: ['packages/models/test/length-groups.test.ts'],
    faults: [['(group?.length ?? 0) + 1', 'group?.length ?? 0']],
  },
  {
    file: 'packages/models/src/drivers/shortlist.ts',
    tests: ['packages/models/test/shortlist.test.ts'],
    faults: [['if (((listed[target >> 5] >> target) & 1) === 0) count++;', 'count++;']],
  },
  {
    file: 'packages/models/src/drivers/graph-sessions.ts',
    tests: ['packages/models/test/load-signal.test.ts', 'packages/models/test/dispose.test.ts', ...replacing],
    faults: [['if (this.#open.get(file) === opening) this.#open.delete(file);', '']],
  },
  {
    file: 'packages/models/src/drivers/source-rows.ts',
    tests: ['packages/models/test/marian-forest.test.ts', 'packages/models/test/batches.test.ts'],
    faults: [['if (row < this.#lengths.length) this.#lengths[row] = last;', '']],
  },
  {
    file: 'packages/models/src/processors/text-deltas.ts',
    tests: ['packages/models/test/text-deltas.test.ts'],
    faults: [
      ['const HELD = 3;', 'const HELD = 2;'],
      ['if (before.length >= this.#shown.length) return false;', ''],
      ['while (end > 0 && text[end - 1] === INCOMPLETE) end--;', ''],
    ],
  },
  {
    file: 'packages/models/src/processors/input-decoding.ts',
    tests: ['packages/models/test/text.test.ts'],
    faults: [
      ["if (rest !== '') yield rest;", ''],
      ['      seed,\n', ''],
    ],
  },
  {
    file: 'packages/models/src/parts/bind-decoder.ts',
    tests: ['packages/models/test/text.test.ts', 'packages/models/test/parts.test.ts'],
    faults: [['kinds.some((kind) => kind === name.lattice)', 'kinds.length > 0']],
  },
  {
    file: 'packages/models/src/tokenizer/sentencepiece/unigram.ts',
    tests: ['packages/models/test/sentence-piece.test.ts'],
    faults: [
      ['score <= scores[end]', 'score >= scores[end]'],
      ['if (!hasCharacter) offer(', 'if (hasCharacter) offer('],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/sentencepiece/byte-pairs.ts',
    tests: ['packages/models/test/sentence-piece.test.ts'],
    faults: [
      ['if (after !== undefined) after.previous = pair.left;', ''],
      [
        'first.score === second.score && first.left < second.left',
        'first.score === second.score && first.left > second.left',
      ],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/sentencepiece/sentence-piece.ts',
    tests: ['packages/models/test/sentence-piece.test.ts'],
    faults: [
      ['hadMark: marked && !normalizer.removeExtraWhitespaces', 'hadMark: marked'],
      ['at += character === undefined ? 1 : length;', 'at += length;'],
    ],
  },
  {
    file: 'packages/models/src/parts/model-parts.ts',
    tests: ['packages/models/test/parts.test.ts'],
    faults: [
      ['if (!right) throw wrongValue(name, model, partLabel({ kind }));', ''],
      ['own === variant && (lattice', 'own !== undefined && (lattice'],
    ],
  },
  {
    file: 'packages/models/src/processors/text-processor.ts',
    tests: ['packages/models/test/own-processor.test.ts'],
    faults: [
      ['encode(text).slice(0, -1)', 'encode(text)'],
      ["readText('What decode returns', decode.call(tokenizer, tokenIds))", 'decode.call(tokenizer, tokenIds)'],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/symbol-tokenizer.ts',
    tests: ['packages/models/test/text-use.test.ts'],
    faults: [
      ["use === 'part' ? undefined : startTokenId", 'startTokenId'],
      ["textUse('use', use);", ''],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/piece-tokenizer.ts',
    tests: ['packages/models/test/text-use.test.ts'],
    faults: [["textUse('use', use);", '']],
  },
  {
    file: 'packages/models/src/parts/model-parts.ts',
    tests: ['packages/models/test/parts.test.ts'],
    faults: [["checkOptions('speculation', options, {});", '']],
  },
  {
    file: 'packages/models/src/families/causal-lm/causal-model.ts',
    tests: ['packages/models/test/model-laws.test.ts'],
    faults: [['refuseEncoding(options);', '']],
  },
  {
    file: 'packages/models/src/drivers/float-source.ts',
    tests: ['packages/importers/test/ctc-import.test.ts'],
    faults: [['if (Number.isFinite(values[index])) continue;', 'if (!Number.isNaN(values[index])) continue;']],
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
    tests: ['packages/importers/test/ctc-import.test.ts', 'packages/importers/test/recurrent-steps.test.ts'],
    faults: [
      ['if (wrong >= 0 || found < 0) {', 'if (wrong >= 0) {'],
      ['!(score < Number.POSITIVE_INFINITY)', 'Number.isNaN(score)'],
    ],
  },
  {
    file: 'packages/importers/src/adapters/ctc/ctc-probe.ts',
    tests: ['packages/importers/test/ctc-import.test.ts'],
    faults: [['    this.#yielder.throwIfAborted();\n', '']],
  },
  {
    file: 'packages/importers/src/readers/gguf/gguf-header.ts',
    tests: ['packages/importers/test/gguf-hostile.test.ts'],
    faults: [['if (index % ITEMS === 0 && this.#pace.due()) await this.#pace.yield();', '']],
  },
  {
    file: 'packages/models/src/drivers/state-step-driver.ts',
    tests: ['packages/models/test/marian-bin.test.ts'],
    faults: [
      ['inputs.positions[lane] + column', 'inputs.positions[lane]'],
      ['widest * length < MIN_CELLS ? MIN_CELLS : widest', 'widest'],
      ['(row - firstRow) * chains + nth[lane]', 'lane'],
    ],
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
      ['if (size < 1) this.refuse', 'if (size < -1000) this.refuse'],
    ],
  },
  {
    file: 'packages/models/src/node/file-path.ts',
    tests: ['packages/importers/test/paths.test.ts'],
    faults: [['/^file:/i.test(value)', 'false']],
  },
];
