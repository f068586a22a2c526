const decoding = [
  'packages/speculative/test/speculative.test.ts',
  'packages/speculative/test/speculative-sessions.test.ts',
  'packages/speculative/test/draft-shape.test.ts',
  'packages/speculative/test/drafter-faults.test.ts',
  'packages/speculative/test/changing-drafters.test.ts',
  'packages/speculative/test/broken-drafts.test.ts',
];

export default [
  {
    file: 'packages/speculative/src/draft-policy.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts', 'packages/speculative/test/opening-drafters.test.ts'],
    faults: [
      ['propose) + opening < enough', 'propose) < enough'],

      ['Math.min(2 ** (this.#unpaid - 1) - 1, LONGEST_PAUSE)', 'LONGEST_PAUSE'],

      ['plain + this.#nodesPerForward * cheapest', 'plain'],

      ['this.#expected(rows, UNKNOWN_ACCEPTANCE, 0) < enough && this.#record.tries()', 'false'],

      ['this.#expected(rows, UNKNOWN_ACCEPTANCE, 0) < enough && ', ''],

      ['this.#expected(rows, UNKNOWN_ACCEPTANCE, 0)', 'this.#expected(rows, this.#record.acceptance, 0)'],

      ['this.#record.began(rows);', 'if (opens) this.#record.began(rows);'],

      ['width === 0 ? this.#unpaid + 1 : 0', 'this.#unpaid + 1'],
    ],
  },
  {
    file: 'packages/speculative/src/draft-record.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts', 'packages/speculative/test/opening-drafters.test.ts'],
    faults: [
      ['this.#accepted += accepted;', ''],
      ['this.#tokens += tokens;', ''],
      ['this.#absence *= 2;', ''],
      ['this.#absence = FIRST_ABSENCE;', ''],
      ['    this.#outputs /= 2;\n', ''],
    ],
  },
  {
    file: 'packages/speculative/src/speculative.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts'],
    faults: [['Math.min(counts.evaluated, counts.accepted + 1)', 'counts.evaluated']],
  },
  {
    file: 'packages/speculative/src/copied-sources.ts',
    tests: ['packages/speculative/test/copy-drafter.test.ts'],
    faults: [
      ['tokenIds[at] !== endTokenId && tokenIds[at] !== padTokenId', 'tokenIds[at] !== padTokenId'],
      ['tokenId < 0 || tokenId >= size', 'tokenId >= size'],
      ['new CtcPrefixScorer(lattice, vocabulary.size, texts.length);', ''],
      ['{ encoding, signal, k: 1 }', '{ signal, k: 1 }'],
      ['{ vocabularySize: vocabulary.size, min: 0 }', '{ vocabularySize: vocabulary.size }'],
    ],
  },
  {
    file: 'packages/speculative/src/draft-tree.ts',
    tests: [
      'packages/speculative/test/draft-tree.test.ts',
      'packages/speculative/test/drafter-faults.test.ts',
      'packages/speculative/test/changing-drafters.test.ts',
      'packages/speculative/test/broken-drafts.test.ts',
    ],
    faults: [
      ['(parent + 1) * TOKEN_IDS + tokenId', 'tokenId'],
      ['parent === node - 1) ?', 'parent < node) ?'],
      ['parent === kept', 'parent <= kept'],
    ],
  },
  {
    file: 'packages/speculative/src/drafting-times.ts',
    tests: ['packages/speculative/test/draft-policy.test.ts'],
    faults: [['this.#open = min(this.#open, milliseconds / rows);', 'this.#open = min(this.#open, milliseconds);']],
  },
  {
    file: 'packages/speculative/src/guarded-drafts.ts',
    tests: [
      'packages/speculative/test/drafter-faults.test.ts',
      'packages/speculative/test/changing-drafters.test.ts',
      'packages/speculative/test/broken-drafts.test.ts',
    ],
    faults: [['void releaseLate(opening);', '']],
  },
  {
    file: 'packages/speculative/src/lattice-drafter.ts',
    tests: [
      'packages/speculative/test/lattice-drafter.test.ts',
      'packages/speculative/test/lattice-enumeration.test.ts',
      'packages/speculative/test/language-model.test.ts',
      'packages/speculative/test/lattice-reuse.test.ts',
    ],
    faults: [
      ['place.state = undefined;', ''],
      ['state.node = node;', ''],
      ['const place = grown?.places[node];', 'const place = grown?.places[-1];'],
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
      'packages/speculative/test/lattice-enumeration.test.ts',
      'packages/speculative/test/language-model.test.ts',
    ],
    faults: [
      ['place.depth >= depth || places.length === nodes', 'place.depth > depth || places.length === nodes'],

      ['opinion?.model.next(above.language, tokenId)', 'opinion?.model.next(root.language, tokenId)'],
      ['end < hopeless ? end : mean(end, checked(after.end(), opinion, place), share)', 'end'],
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
    faults: [
      ['encoding?.dispose();\n    throw error;', 'throw error;'],
      ['{ ...options, seed: seed ?? 0 }', 'options', ['packages/speculative/test/seeded-drafts.test.ts']],
    ],
  },
  {
    file: 'packages/speculative/src/speculative-row.ts',
    tests: decoding,
    faults: [
      ['accepted: Math.min(path.length, this.output.length - before),', 'accepted: path.length,'],
      ['this.#limit - this.output.length - 1', 'this.#limit - this.output.length'],
      ['prefix.subarray(cached)', 'prefix', ['packages/speculative/test/conformance.test.ts']],

      [
        'prefix.subarray(cached)',
        'prefix.subarray(Math.min(cached, 16))',
        ['packages/speculative/test/conformance.test.ts'],
      ],
    ],
  },
  {
    file: 'packages/speculative/src/speculative.ts',
    tests: decoding,
    faults: [
      ['await drafts?.finish(row.row);', ''],
      ['await drafts?.finish(row);', ''],
      ['      forest.finish(row);\n', '', ['packages/speculative/test/conformance.test.ts']],
      ['const { draft } = row;', 'const { draft } = active[0];'],
      ['else if (counts.accepted < counts.evaluated) forest.retain(row.row, [row.anchor]);', ''],
    ],
  },
  {
    file: 'packages/speculative/src/copy-alignment.ts',
    tests: ['packages/speculative/test/copy-alignment.test.ts'],
    faults: [
      ['position > 1 && text[position - 2] === unit', 'position > 1'],
      ['Math.abs(position - expected) < Math.abs(at - expected)', 'position > at'],
      ['const elsewhere = min + JUMP;', 'const elsewhere = Number.POSITIVE_INFINITY;'],
      ['isSpace(here) === space ? ADD : ADD + SPACE', 'ADD'],
      ['const low = Math.max(0, before.at - REACH);', 'const low = 0;'],
      ['cost <= min + SLACK && shown', 'shown'],
      ['    this.#last = undefined;\n', ''],
      ['unit === 0x120 || ', ''],
      ['this.costAt(a) - this.costAt(b) || ', ''],
      ['[at, ...found].slice(0, max)', '[at, ...found]'],
    ],
  },
  {
    file: 'packages/speculative/src/copied-text.ts',
    tests: ['packages/speculative/test/copy-drafter.test.ts', 'packages/speculative/test/copied-drafts.test.ts'],
    faults: [
      ['let at = this.#settled(position, last);', 'let at = position;'],
      ['.length <= piece.length) return position;', '.length < piece.length) return position;'],
    ],
  },
  {
    file: 'packages/speculative/src/copy-row.ts',
    tests: [
      'packages/speculative/test/copy-drafter.test.ts',
      'packages/speculative/test/copied-drafts.test.ts',
      'packages/speculative/test/conformance.test.ts',
    ],
    faults: [
      ['this.#alignment.restart();', ''],
      ['if (this.#alignment.cost === cost) this', 'this'],
      ['path *= sure ?? share;', 'path *= share;'],
      ['DECAY ** (this.#alignment.costAt(position) - this.#alignment.cost)', '1'],
      ['places.set(position, weight / total)', 'places.set(position, weight)'],
      ['      this.#copied = 0;\n', ''],
    ],
  },
  {
    file: 'packages/speculative/src/copy-drafter.ts',
    tests: ['packages/speculative/test/copy-drafter.test.ts', 'packages/speculative/test/copied-drafts.test.ts'],
    faults: [
      ['encoder: writer?.encoder,', ''],
      ['writer === undefined ? 0 : 1', '0'],
      ["assertVocabulary('from', writer.vocabulary, vocabulary);", ''],
    ],
  },
  {
    file: 'packages/speculative/src/draft-trie.ts',
    tests: ['packages/speculative/test/combine-drafters.test.ts'],
    faults: [
      ['Math.max(shared, sum)', 'shared'],
      ['.slice(0, nodes)', ''],
      [' || a - b)', ' || b - a)'],
    ],
  },
  {
    file: 'packages/speculative/src/combine-drafters.ts',
    tests: ['packages/speculative/test/combine-drafters.test.ts'],
    faults: [
      ['encoding !== undefined && drafter.encoder === encoder', 'encoding !== undefined'],
      ['await Promise.allSettled(opened.map((session) => session[Symbol.asyncDispose]()));', ''],
      ['const path = above * ', 'const path = '],
      ["assertVocabulary('drafters', other, first)", 'other'],
    ],
  },
  {
    file: 'packages/speculative/src/draft-tree.ts',
    tests: ['packages/speculative/test/draft-tree.test.ts'],
    faults: [['probabilities.push(draft.probabilities[node])', 'probabilities.push(draft.probabilities[0])']],
  },
];
