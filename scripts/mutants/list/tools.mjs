export default [
  {
    file: 'packages/metrics/src/bleu.ts',
    tests: ['packages/metrics/test/metrics.test.ts', 'packages/metrics/test/sentence-metrics.test.ts'],
    faults: [['Math.min(occurrences, allowed.get(ngram) ?? 0)', '(allowed.get(ngram) ?? 0)']],
  },
  {
    file: 'packages/metrics/src/chrf.ts',
    tests: ['packages/metrics/test/metrics.test.ts', 'packages/metrics/test/sentence-metrics.test.ts'],
    faults: [['if (score > bestScore) [best', 'if (score < bestScore || bestScore < 0) [best']],
  },
  {
    file: 'packages/metrics/src/text-lines.ts',
    tests: ['packages/metrics/test/text-lines.test.ts'],
    faults: [
      ["const cut = last === '\\r' ? 1 : 0;", 'const cut = 0;'],
      [
        "pending = length > limit + 1 ? '' : pending + part;",
        'pending = pending + part;',
        ['packages/metrics/test/text-lines.test.ts', 'apps/cli/test/lines.test.ts'],
      ],
    ],
  },
  {
    file: 'packages/testkit/src/decoder-conformance.ts',
    tests: ['packages/testkit/test/mutants.test.ts', 'packages/testkit/test/drafter-mutants.test.ts'],
    faults: [
      ['assert.equal(model.forwards, 2, ', 'assert.ok(model.forwards >= 2, '],
      ["assert.ok(finished, 'a row that is over is finished before the next forward');", ''],
      ["assert.equal(failed, model.forwards >= failAt, 'the decode fails as the forward did');", ''],
      ["assert.equal(statistics.forwards, model.forwards, 'statistics.forwards counts the calls of extend');", ''],
    ],
  },
  {
    file: 'packages/testkit/src/cut-laws.ts',
    tests: [
      'packages/testkit/test/laws.test.ts',
      'packages/testkit/test/mutants.test.ts',
      'packages/testkit/test/drafter-mutants.test.ts',
    ],
    faults: [
      ["!one.endsWith('row 0')", "one !== ''"],
      ["assert.ok(end === undefined || end === tokenIds.length, 'nothing follows a stop');", ''],
    ],
  },
  {
    file: 'packages/testkit/src/laws.ts',
    tests: [
      'packages/testkit/test/laws.test.ts',
      'packages/testkit/test/mutants.test.ts',
      'packages/testkit/test/drafter-mutants.test.ts',
    ],
    faults: [
      ["assert.equal(event.position, output.length, 'commits are append-only');", ''],
      ["assert.ok(!best.tokenIds.includes(endTokenId), 'the end token is not part of the output');", ''],
    ],
  },
  {
    file: 'packages/testkit/src/draft-laws.ts',
    tests: ['packages/testkit/test/mutants.test.ts', 'packages/testkit/test/drafter-mutants.test.ts'],
    faults: [['!siblings.has(', '!new Set<string>().has(']],
  },
  {
    file: 'packages/testkit/src/lattice-conformance.ts',
    tests: ['packages/testkit/test/suite-mutants.test.ts'],
    faults: [["assert.equal(counts.released, counts.encoded, 'every encoding is released');", '']],
  },
  {
    file: 'apps/cli/src/errors.ts',
    tests: ['apps/cli/test/decode.test.ts', 'apps/cli/test/line-breaks.test.ts', 'apps/cli/test/folders.test.ts'],
    faults: [
      ["(['EMPTY_SOURCE', 'SOURCE_TOO_LONG', 'LENGTH_LIMIT'])", "(['EMPTY_SOURCE', 'LENGTH_LIMIT'])"],
      ["  'UNSUPPORTED_MODEL',\n", ''],
    ],
  },
  {
    file: 'apps/cli/src/decode-writers.ts',
    tests: ['apps/cli/test/decode.test.ts', 'apps/cli/test/line-breaks.test.ts'],
    faults: [
      ['const line = this.#live ? safeText(oneLine(text)) : oneLine(text);', 'const line = oneLine(text);'],

      ['if (this.#signal.aborted) return;', ''],
    ],
  },
  {
    file: 'apps/cli/src/decode-lines.ts',
    tests: ['apps/cli/test/decode.test.ts', 'apps/cli/test/line-breaks.test.ts', 'apps/cli/test/batches.test.ts'],
    faults: [
      ['if (!isRowError(error) || strict) throw error;', 'if (!isRowError(error)) throw error;'],
      ['return failures === 0 ? EXIT.ok : EXIT.failure;', 'return EXIT.ok;'],
    ],
  },
  {
    file: 'apps/cli/src/arguments.ts',
    tests: ['apps/cli/test/arguments.test.ts'],
    faults: [['next === undefined || flags.has(next)', 'next === undefined']],
  },
  {
    file: 'apps/cli/src/strategies/all-strategies.ts',
    tests: [
      'apps/cli/test/strategies.test.ts',
      'apps/cli/test/masked-model.test.ts',
      'apps/cli/test/edited-text.test.ts',
      'apps/cli/test/arguments.test.ts',
    ],
    faults: [['if (!Object.hasOwn(own, name)) throw notTaken(name, strategy);', '']],
  },
  {
    file: 'apps/cli/src/terminal/style.ts',
    tests: [
      'apps/cli/test/hostile-manifest.test.ts',
      'apps/cli/test/decode.test.ts',
      'apps/cli/test/line-breaks.test.ts',
      'apps/cli/test/folders.test.ts',
    ],
    faults: [['\\p{Zp}\\p{Bidi_Control}]/gu', '\\p{Zp}]/gu']],
  },
  {
    file: 'apps/cli/src/race/measure.ts',
    tests: ['apps/cli/test/summary.test.ts', 'apps/cli/test/race.test.ts', 'apps/cli/test/race-task.test.ts'],
    faults: [
      ['Math.ceil(middle) - 1', 'Math.ceil(middle)'],
      ['(repeat + turn) % strategies.length', 'turn'],
    ],
  },
  {
    file: 'apps/cli/src/race/summary.ts',
    tests: ['apps/cli/test/summary.test.ts'],
    faults: [['other.milliseconds / own.milliseconds', 'own.milliseconds / other.milliseconds']],
  },
  {
    file: 'apps/bench/src/nar-measure.ts',
    tests: ['apps/bench/test/nar-measure.test.ts'],
    faults: [
      ['now.milliseconds < known.milliseconds', 'now.milliseconds > known.milliseconds'],

      ['running.delete(name);', ''],
    ],
  },
  {
    file: 'apps/bench/src/nar-rows.ts',
    tests: ['apps/bench/test/nar-rows.test.ts'],
    faults: [
      ['milliseconds, 0) / sentencesBatched', 'milliseconds, 0) / batched.length'],
      ['other[index].milliseconds / milliseconds', 'milliseconds / other[index].milliseconds'],
    ],
  },
  {
    file: 'apps/bench/src/nar-groups.ts',
    tests: ['apps/bench/test/nar-rows.test.ts', 'apps/bench/test/nar-bench.test.ts'],
    faults: [['met: difference >= aim,', 'met: difference > aim,']],
  },
  {
    file: 'apps/bench/src/statistics.ts',
    tests: ['apps/bench/test/nar-rows.test.ts', 'apps/bench/test/nar-measure.test.ts'],
    faults: [
      [
        'sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]',
        'values[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]',
      ],
    ],
  },
  {
    file: 'apps/playground/src/trace/steps.ts',
    tests: ['apps/playground/test/views.test.ts', 'apps/playground/test/share-link.test.ts'],
    faults: [
      ['const refused = drafted.some(({ parent }) => parent === last);', 'const refused = drafted.length > accepted;'],
      ['id === tokenId && parents[index] === node', 'id === tokenId'],
    ],
  },
  {
    file: 'packages/streams/src/event-fields.ts',
    tests: [
      'packages/streams/test/events.test.ts',
      'apps/playground/test/traces.test.ts',
      'apps/playground/test/views.test.ts',
      'apps/playground/test/share-link.test.ts',
    ],
    faults: [
      [
        'const CELLS = { k: count, tokenIds: integers, logProbs: impossible };',
        'const CELLS = { k: count, tokenIds: integers, logProbs: unknown };',
      ],
      ['real(one) ? one : missing', 'real(one) ? one : 0'],
      ['real(one) && one === (one | 0)', 'true'],
    ],
  },
  {
    file: 'packages/streams/src/readable.ts',
    tests: ['packages/streams/test/readable.test.ts'],
    faults: [
      ['{ highWaterMark: 0 }', '{ highWaterMark: 2 }'],
      ['stopped.abort(reason);', ''],
      ['released = parts?.return?.().catch(() => undefined);', ''],
    ],
  },
  {
    file: 'packages/opentelemetry/src/traced.ts',
    tests: ['packages/opentelemetry/test/traced.test.ts', 'packages/opentelemetry/test/metrics.test.ts'],
    faults: [
      ['SpanKind.INTERNAL, attributes }, parent)', 'SpanKind.INTERNAL, attributes })'],
      ['if (left !== undefined) await span.within(async () => left.return?.());', ''],
      ['await span.within(() => opened.next())', 'await opened.next()'],
    ],
  },
  {
    file: 'packages/opentelemetry/src/decode-span.ts',
    tests: ['packages/opentelemetry/test/traced.test.ts', 'packages/opentelemetry/test/metrics.test.ts'],
    faults: [
      ['return written - prefixTokens(this.#request);', 'return written;'],
      ['if (event.evaluated > 0) this.#rounds++;', 'this.#rounds++;'],
    ],
  },
  {
    file: 'packages/langchain/src/chat-foretoken.ts',
    tests: ['packages/langchain/test/langchain.test.ts', 'packages/langchain/test/unsupported.test.ts'],
    faults: [['instance: this.#identity', 'instance: 0']],
  },
  {
    file: 'packages/langchain/src/text-calls.ts',
    tests: ['packages/langchain/test/langchain.test.ts', 'packages/langchain/test/unsupported.test.ts'],
    faults: [['const rest = cut.end();', "const rest = '';"]],
  },
  {
    file: 'packages/speculative/src/statistics-of-others.ts',
    tests: ['packages/speculative/test/statistics-of-others.test.ts'],
    faults: [
      ['if (evaluated > 0) yield', 'yield'],
      ["fields.get('evaluated')", "fields.get('proposed')"],
    ],
  },
  {
    file: 'apps/playground/src/views/frames.tsx',
    tests: ['apps/playground/test/views.test.ts', 'apps/playground/test/share-link.test.ts'],
    faults: [['(repeats || (silent && run.text === undefined))', 'repeats']],
  },
];
