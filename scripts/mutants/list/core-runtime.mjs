export default [
  {
    file: 'packages/core/src/runtime/tree-row.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [
      ['this.#trunk = Math.min(this.#trunk, size);', ''],
      ['this.#depths.push(this.depthOf(parentSlot) + 1);', 'this.#depths.push(this.#nodes.length);'],
      ['if (slot !== next) addMove(moves, slot, next);', 'if (slot > next + 1) addMove(moves, slot, next);'],
      ['this.#parents[next] = newParent;', 'this.#parents[next] = parent;'],
    ],
  },
  {
    file: 'packages/core/src/runtime/row-cache.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [
      [
        'values.copyWithin(row * size, last * size, (last + 1) * size)',
        'values.copyWithin(row * size, last * size, last * size)',
      ],
      ['row * capacity * this.#width', 'row * size'],
    ],
  },
  {
    file: 'packages/core/src/runtime/store-forest.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [
      ['open.tree.truncate(before[open.gridRow]);', ''],
      ["immediate('What compact of the store gives', this.#options.store.compact(gridRow, moves));", ''],
      ['last.gridRow = gridRow;', ''],
      ['this.#nextNode += forward.slot.length;', 'this.#nextNode += 1;'],
      ["this.#assertIdle('retain');", ''],
    ],
  },
  {
    file: 'packages/core/src/runtime/run-forward.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [['for (const row of part.gridRow) stored[row]++;', '']],
  },
  {
    file: 'packages/core/src/runtime/key-value-store.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [
      ["immediate('What releaseRow of the driver gives', this.#driver.releaseRow(gridRow));", ''],
      ['positions[cell] = tree.depthOf(at) - 1;', 'positions[cell] = at;'],
    ],
  },
  {
    file: 'packages/core/src/runtime/execution-providers.ts',
    tests: ['packages/models/test/execution-providers.test.ts'],
    faults: [
      ['if (cause === undefined) continue;', 'if (cause !== undefined) continue;'],
      ['if (device !== undefined) integer(0)', 'if (device === undefined) integer(0)'],
    ],
  },
  {
    file: 'packages/core/src/runtime/forward-parts.ts',
    tests: [
      'packages/core/test/key-value-forest.test.ts',
      'packages/core/test/forest-refusals.test.ts',
      'packages/importers/test/prompt-chunks.test.ts',
    ],
    faults: [
      ['const columnParts = Math.ceil(units /', 'const columnParts = Math.floor(units /'],
      ['members.filter(({ length }) => length > 0)', 'members'],
    ],
  },
  {
    file: 'packages/core/src/runtime/recurrent-store.ts',
    tests: ['packages/importers/test/recurrent-forest.test.ts'],
    faults: [
      ['if (gridRow < this.#states.length) this.#states[gridRow] = last;', ''],
      ['states.copyWithin(to * stateWidth, from * stateWidth, (from + length) * stateWidth);', ''],
      ['grown.set(states);', ''],
    ],
  },
  {
    file: 'packages/core/src/runtime/recurrent-lanes.ts',
    tests: ['packages/importers/test/recurrent-forest.test.ts'],
    faults: [['(goesOn ? 0 : 1)', '0']],
  },
  {
    file: 'packages/core/src/runtime/graph-session.ts',
    tests: ['packages/core/test/graph-session.test.ts', 'packages/models/test/dispose.test.ts'],
    faults: [
      ['this.#released ??= this.#release();', 'this.#released = this.#release();'],
      ['if (this.#released !== undefined) throw this.#disposedOf();\n      return outputs;', 'return outputs;'],
      ['if (this.#running > 0) {', 'if (this.#running > 1) {'],
    ],
  },
  {
    file: 'packages/core/src/kit/node-batch.ts',
    tests: [
      'packages/one-shot/test/score-with-model.test.ts',
      'packages/greedy/test/greedy.test.ts',
      'packages/speculative/test/speculative.test.ts',
      'packages/speculative/test/speculative-sessions.test.ts',
      'packages/speculative/test/draft-shape.test.ts',
    ],
    faults: [['this.#scored = grown(this.#scored, new Uint8Array(size));', 'this.#scored = new Uint8Array(size);']],
  },
  {
    file: 'packages/core/src/kit/checks.ts',
    tests: [
      'packages/refine/test/borders.test.ts',
      'packages/refine/test/unmask-order.test.ts',
      'packages/refine/test/levenshtein.test.ts',
      'packages/refine/test/edit-refusals.test.ts',
      'packages/testkit/test/mutants.test.ts',
      'packages/testkit/test/drafter-mutants.test.ts',
    ],
    faults: [
      ['if (tokenIds.length > max) {', 'if (tokenIds.length > max + 1) {'],
      ['|| tokenId === endTokenId || tokenId === maskTokenId)', '|| tokenId === maskTokenId)'],
    ],
  },
  {
    file: 'packages/core/src/kit/yielder.ts',
    tests: ['packages/core/test/yielder.test.ts'],
    faults: [['await nextTurn();\n    this.throwIfAborted();', 'await nextTurn();']],
  },
  {
    file: 'packages/core/src/kit/ctc-prefix.ts',
    tests: ['packages/core/test/ctc-prefix.test.ts'],
    faults: [
      ['(repeats ? 0 : masses[before + 1])', 'masses[before + 1]'],
      ['ending = begun + emission[frame] * ending;', 'ending = Math.max(begun, emission[frame] * ending);'],
      ['if (label === last) probability = this.#repeated(prefix);', ''],
      ['larger.set(this.#masses);', ''],
    ],
  },
  {
    file: 'packages/core/src/kit/ctc-emissions.ts',
    tests: ['packages/core/test/ctc-prefix.test.ts'],
    faults: [['blankId < vocabularySize ? vocabularySize - 1 : vocabularySize', 'vocabularySize - 1']],
  },
  {
    file: 'packages/core/src/tensor/ctc-alignment.ts',
    tests: ['packages/core/test/ctc-alignment.test.ts'],
    faults: [['tokenIds[(state - 1) >> 1] !== tokenIds[(state - 3) >> 1]', 'true']],
  },
  {
    file: 'packages/core/src/tensor/ctc-best-path.ts',
    tests: ['packages/core/test/ctc-best-path.test.ts'],
    faults: [['previous = tokenId;', 'if (tokenId !== blankId) previous = tokenId;']],
  },
  {
    file: 'packages/core/src/kit/offered-outputs.ts',
    tests: ['packages/testkit/test/token-forest.test.ts', 'packages/testkit/test/model-suites.test.ts'],
    faults: [
      ['assertFields(output);', ''],
      ["if (output.states !== undefined) flag('states', output.states);", ''],
      ['for (const name in nodes) if (!ARRAYS', 'for (const name in []) if (!ARRAYS'],
      ['if (typedArray(name, array).length === length) return;', 'return;'],
    ],
  },
  {
    file: 'packages/core/src/kit/open-options.ts',
    tests: ['packages/core/test/open-options.test.ts', 'packages/testkit/test/model-suites.test.ts'],
    faults: [
      ['const known = checkOptions(owner, options, table);', 'const known = options;'],
      ['throwIfAborted(known.signal);', ''],
      ['if (encoding === undefined) return;', 'return;'],
    ],
  },
  {
    file: 'packages/core/src/kit/model-checks.ts',
    tests: ['packages/core/test/special-tokens.test.ts'],
    faults: [
      ['assertSpecialTokens(model as Fields, wanted, size);', ''],
      ["edit: ['placeholderTokenId', 'startTokenId'],", "edit: ['placeholderTokenId'],"],
      ["lattice: ['startTokenId'],", 'lattice: [],'],
      ['if (other !== undefined) {', 'if (other === null) {'],
      ['BOUNDARIES = 2', 'BOUNDARIES = 1'],
      [
        "assertCandidates(Math.min(requires.candidates, size), 'a position');\n      return;\n    case 'lattice'",
        "return;\n    case 'lattice'",
      ],
      ['[endTokenId, padTokenId, unknownTokenId].every', '[endTokenId, unknownTokenId].every'],
    ],
  },
  {
    file: 'packages/core/src/runtime/store-forest.ts',
    tests: ['packages/models/test/shared-prompts.test.ts', 'packages/models/test/shared-batches.test.ts'],
    faults: [
      ['open.read = Math.min(open.read, open.tree.size);', ''],
      ['open.read = Math.min(open.read, tree.size, moves[0]?.to ?? tree.size);', ''],
      [' && tokenId[index] === at.prefix[at.read]', ''],
      ['this.#options.store.copy?.(donor.gridRow, open.gridRow, length)', 'undefined'],
      ['const held = Math.min(cached, read);', 'const held = cached;'],
      ['for (const { row } of joined.reverse()) this.#release(row);', ''],
      ['await forest[Symbol.asyncDispose]();\n      throw error;', 'throw error;'],
    ],
  },
  {
    file: 'packages/core/src/runtime/store-forest.ts',
    tests: ['packages/core/test/shared-rows.test.ts'],
    faults: [
      [
        'open.read = Math.min(open.read, tree.size, moves[0]?.to ?? tree.size);',
        'open.read = Math.min(open.read, tree.size);',
      ],
      ['if (slot[index] === at.read && below === at.read - 1 && tokenId', 'if (slot[index] === at.read && tokenId'],
      [
        'open.tree.append(this.#nextNode++, open.read - 1);',
        'open.tree.append(this.#nextNode + open.read, open.read - 1);',
      ],
    ],
  },
  {
    file: 'packages/core/src/runtime/prompt-sharing.ts',
    tests: [
      'packages/core/test/prompt-sharing.test.ts',
      'packages/models/test/shared-prompts.test.ts',
      'packages/models/test/shared-batches.test.ts',
    ],
    faults: [
      ['same -= same % this.#block;', ''],
      ['if (donor.read < length) return true;', ''],
      ['if (blocked.has(row)) continue;', ''],
      ['wanted[donor] = Math.max(wanted[donor], length);', 'wanted[donor] = length;'],
      ['if (shared === undefined || shared.length <= row.read) continue;', 'continue;'],
    ],
  },
  {
    file: 'packages/core/src/runtime/shared-prefixes.ts',
    tests: ['packages/core/test/shared-prefixes.test.ts', 'packages/models/test/shared-batches.test.ts'],
    faults: [
      ['prefix.length - this.#own', 'prefix.length'],
      ['if (!this.#same(this.#prefixes[known.owner], prefix, end)) break;', ''],
      ['above = known.id;', ''],
    ],
  },
  {
    file: 'packages/core/src/runtime/forward-parts.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [['Math.min(2, whole.width)', '1']],
  },
  {
    file: 'packages/core/src/runtime/forward-parts.ts',
    tests: ['packages/models/test/shared-batches.test.ts'],
    faults: [['const unit = columns < STEADY_SLOTS ? 1 : STEADY_SLOTS;', 'const unit = 1;']],
  },
  {
    file: 'packages/core/src/runtime/forest-refusals.ts',
    tests: ['packages/core/test/key-value-forest.test.ts', 'packages/core/test/forest-refusals.test.ts'],
    faults: [['if (tree.depthOf(slot) >= maxLength) {', 'if (tree.depthOf(slot) > maxLength) {']],
  },
];
