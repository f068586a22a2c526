const replacing = ['packages/models/test/folder-replace.test.ts', 'packages/models/test/folder-replaced.test.ts'];

export default [
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
    tests: ['packages/models/test/folder-read.test.ts', 'packages/models/test/hostile-folders.test.ts', ...replacing],
    faults: [['    checkDigest(place, hasher.digest(), record.sha256);\n', '']],
  },
  {
    file: 'packages/models/src/folder/read-folder.ts',
    tests: ['packages/models/test/folder-read.test.ts', 'packages/models/test/hostile-folders.test.ts', ...replacing],
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
    tests: ['packages/models/test/folder-read.test.ts', 'packages/models/test/hostile-folders.test.ts'],
    faults: [['&& !DEVICE.test(segment)', '']],
  },
  {
    file: 'packages/core/src/runtime/onnx/external-data.ts',
    tests: ['packages/models/test/external-data.test.ts'],
    faults: [
      ["function: { 7: 'node', 11: 'attribute' }", "function: { 7: 'node' }"],
      ["if (path !== 'model.graph.tensor') nested.add(location);", ''],
    ],
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
    file: 'packages/models/src/tokenizer/added-tokens.ts',
    tests: ['packages/models/test/tokenizer-parts.test.ts'],
    faults: [
      ['const BLANK = /\\p{White_Space}/u;', 'const BLANK = /\\s/u;'],
      ['const begins = place === 0 && ', 'const begins = place >= 0 || '],
    ],
  },
  {
    file: 'packages/models/src/tokenizer/exact-joins.ts',
    tests: ['packages/models/test/tokenizer-parts.test.ts'],
    faults: [["?? '\\ufffd'.repeat(bytes.length)", "?? '\\ufffd'"]],
  },
  {
    file: 'packages/models/src/tokenizer/word-joins.ts',
    tests: ['packages/models/test/tokenizer-parts.test.ts'],
    faults: [["searched === '' ? text.replace(/(?:)/gu, content) : ", '']],
  },
  {
    file: 'packages/models/src/tokenizer/exact-normals.ts',
    tests: ['packages/models/test/tokenizer-parts.test.ts'],
    faults: [
      [".join('\\u03c3')", ".join('\\u03c2')"],
      ['\\u{2b920}-', '\\u{2b820}-'],
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
    tests: [
      'packages/models/test/marian-forest.test.ts',
      'packages/models/test/ctc-student-graphs.test.ts',
      'packages/models/test/batches.test.ts',
    ],
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
    tests: ['packages/importers/test/ctc-import.test.ts', 'packages/importers/test/ctc-refusals.test.ts'],
    faults: [['if (Number.isFinite(values[index])) continue;', 'if (!Number.isNaN(values[index])) continue;']],
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
    file: 'packages/models/src/node/file-path.ts',
    tests: ['packages/importers/test/paths.test.ts'],
    faults: [['/^file:/i.test(value)', 'false']],
  },
  {
    file: 'packages/models/src/drivers/source-shortlist.ts',
    tests: ['packages/models/test/source-shortlist-file.test.ts'],
    faults: [
      ['if (missing < 0) missing += this.#multipleOf;', ''],
      ["if (!common.includes(endTokenId)) refuse('common'", "if (common.length === 0) refuse('common'"],
    ],
  },
  {
    file: 'packages/models/src/drivers/listed-sources.ts',
    tests: ['packages/models/test/source-shortlist.test.ts'],
    faults: [
      ['this.#possible.copyWithin(row * size, last * size, (last + 1) * size);', ''],
      ['if (row < this.#possible.length) this.#possible[row] = last;', ''],
      ['fill(Number.NEGATIVE_INFINITY)', 'fill(0)'],
      ['this.#possible.subarray(firstRow * size, (firstRow + rows) * size)', 'this.#possible.subarray(0, rows * size)'],
    ],
  },
  {
    file: 'packages/models/src/drivers/body-step.ts',
    tests: ['packages/models/test/source-shortlist.test.ts'],
    faults: [['map((cell) => Math.floor(cell / width))', 'map((cell) => Math.floor(cell / (width + 1)))']],
  },
];
