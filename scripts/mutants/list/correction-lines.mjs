export default [
  {
    file: 'packages/correction/src/data-lines.ts',
    tests: ['packages/correction/test/data-lines.test.ts'],
    faults: [
      ['this.#open ||= bare || bareKeyFollows(following);', 'this.#open ||= bare;'],
      ['ITEM.test(line) || COMMENT.test(line)', 'ITEM.test(line)'],
      ['return bare || !SAID.test(value)', 'return bare'],
      ['if (!this.#open) return', 'if (!bare) return'],
    ],
  },
  {
    file: 'packages/correction/src/open-ends.ts',
    tests: ['packages/correction/test/open-ends.test.ts'],
    faults: [
      [' && !INNER_END.test(text.slice(start, end))', ''],
      ['said.slice(0, -1).filter(', 'said.filter('],
      ['open > (lines.length - 1) / 2', 'open > 0'],
      ['end - start > WIDEST_VERSE', 'end - start > 600'],
    ],
  },
  {
    file: 'packages/correction/src/proposals.ts',
    tests: ['packages/correction/test/open-ends.test.ts'],
    faults: [['(start === close || !SAYS.test(before + after))', 'start === close']],
  },
  {
    file: 'packages/correction/src/edits.ts',
    tests: ['packages/correction/test/corrector-faults.test.ts'],
    faults: [
      ['if (/[^\\S ]|\\s\\s/.test(after)) return true;', ''],
      ['(closes && /\\s$/.test(after)) || ', ''],
      ['cut(text, part)).length) > MAX_WORDS)', 'cut(text, part)).length) > MAX_WORDS + 1)'],
    ],
  },
  {
    file: 'packages/correction/src/prose-lines.ts',
    tests: ['packages/correction/test/corrector-faults.test.ts'],
    faults: [
      ['let end = yield* closed(text, { start, end: line.end });', 'let { end } = line;'],
      ['      end -= closing.length;\n', ''],
      ['true && line.trim() === fence)', 'true)'],
      ['return isDataLine(line) || isCodeLine(line);', 'return isCodeLine(line);'],
    ],
  },
  {
    file: 'packages/correction/src/correction-drafter.ts',
    tests: ['packages/correction/test/corrector-faults.test.ts'],
    faults: [
      ["error.code === 'SOURCE_TOO_LONG') return source", 'error.code === undefined) return source'],
      ['from: from ?? ', 'from: '],
    ],
  },
  {
    file: 'packages/correction/src/capitals.ts',
    tests: ['packages/correction/test/corrector-faults.test.ts'],
    faults: [['.slice(-1);', '.slice(0, 1);']],
  },
  {
    file: 'apps/cli/src/commands/correct.ts',
    tests: ['apps/cli/test/correct-interrupted.test.ts', 'apps/cli/test/wrapped-lines.test.ts'],
    faults: [
      ['  signal.throwIfAborted();\n  await writer.end();', '  await writer.end();'],
      ["(options.text('file') ?? '-') === '-' ?", "options.text('file') === undefined ?"],
      ['{ signal, code: oneText', '{ code: oneText'],
    ],
  },
  {
    file: 'apps/cli/src/wrapped-lines.ts',
    tests: ['apps/cli/test/wrapped-lines.test.ts'],
    faults: [
      ['before.cut || line.cut || ', ''],
      [' || ENDS.test(end)) return false', ') return false'],
      ['  if (OPEN_END.test(end) && NAME.test(line.text)) return true;\n', ''],
    ],
  },
  {
    file: 'apps/cli/src/correction-writers.ts',
    tests: ['apps/cli/test/correct-lines.test.ts'],
    faults: [['text, ending, cut, edits', 'text, ending, edits']],
  },
  {
    file: 'apps/cli/src/raw-lines.ts',
    tests: ['apps/cli/test/correct.test.ts'],
    faults: [['      cut = false;\n', '']],
  },
  {
    file: 'packages/correction/src/without-refused.ts',
    tests: ['packages/correction/test/refused-edits.test.ts'],
    faults: [['this.#open.end = this.#written;', '']],
  },
  {
    file: 'packages/correction/src/refused-tokens.ts',
    tests: ['packages/correction/test/refused-edits.test.ts'],
    faults: [['character === HALF || ', '']],
  },
  {
    file: 'packages/correction/src/edits.ts',
    tests: ['packages/correction/test/ruled-edits.test.ts'],
    faults: [["if (ruled && probability < RULED_CONFIDENCE) return 'refused';", '']],
  },
  {
    file: 'packages/correction/src/corrector.ts',
    tests: ['packages/correction/test/corrector-faults.test.ts'],
    faults: [['decode(piece.text, totals, signal)', 'decode(piece.text, totals, undefined)']],
  },
  {
    file: 'packages/correction/src/alphabet.ts',
    tests: ['packages/correction/test/corrector-scripts.test.ts'],
    faults: [
      ['.toLowerCase();', ';'],
      ['this.#letters === undefined && /[a-z]/.test(part)', '/[a-z]/.test(part)'],
    ],
  },
  {
    file: 'packages/correction/src/corrector.ts',
    tests: ['packages/correction/test/corrector-scripts.test.ts'],
    faults: [
      ['if (!(await yielder.run(alphabet.isIn(text, line)))) continue;', ''],
      ['if (!(await yielder.run(alphabet.isIn(text, piece.core)))) continue;', ''],
    ],
  },
  {
    file: 'packages/correction/src/name-spans.ts',
    tests: ['packages/correction/test/corrector-sureness.test.ts'],
    faults: [['N},;:)\'’"”] [', 'N}] [']],
  },
  {
    file: 'packages/correction/src/word-alignment.ts',
    tests: ['packages/correction/test/corrector-sureness.test.ts'],
    faults: [['(left[at - 1] === right[to - 1] ? 0 : CASING)', '0']],
  },
  {
    file: 'packages/correction/src/token-places.ts',
    tests: ['packages/correction/test/corrector-sureness.test.ts'],
    faults: [["texts.join('') === text;", 'true;']],
  },
  {
    file: 'packages/correction/src/word-distance.ts',
    tests: ['packages/correction/test/corrector-sureness.test.ts'],
    faults: [
      ['if (longer > LONGEST) return 1;', 'if (longer > LONGEST) return 0;'],
      ['return last[after.length] / longer;', 'return last[after.length] / before.length;'],
    ],
  },
  {
    file: 'packages/correction/src/decode-piece.ts',
    tests: ['packages/correction/test/corrector-sureness.test.ts'],
    faults: [['Math.min(this.#model.maxLength, 2 * source.length + 16)', 'this.#model.maxLength']],
  },
  {
    file: 'packages/correction/src/protected-spans.ts',
    tests: ['packages/correction/test/protected-spans.test.ts'],
    faults: [
      ['.toSorted((a, b) => a.start - b.start)', ''],
      ["|| text[span.start] !== ' '", ''],
      ['plain && PLAIN.test(chunk) ? [] : [whole]', '[whole]'],
      ['keep.has(text.slice(start, end).toLowerCase())', 'keep.has(text.slice(start, end))'],
    ],
  },
  {
    file: 'packages/correction/src/corrector.ts',
    tests: ['packages/correction/test/left-alone.test.ts'],
    faults: [
      ['leftAlone.sort((a, b) => a.start - b.start || a.end - b.end);', ''],
      ['new Set(keep.map((word) => word.toLowerCase()))', 'new Set(keep)'],
    ],
  },
  {
    file: 'packages/correction/src/corrector.ts',
    tests: ['packages/correction/test/corrector-long-text.test.ts'],
    faults: [['Math.floor(target.maxLength * 0.8)', 'target.maxLength']],
  },
  {
    file: 'packages/correction/src/proposals.ts',
    tests: ['packages/correction/test/left-alone.test.ts'],
    faults: [
      ['[ends.length] : tokens', '[0] : tokens'],
      ['Math.max(end, start + 1)', 'end'],
    ],
  },
  {
    file: 'packages/correction/src/decode-piece.ts',
    tests: ['packages/correction/test/totals.test.ts'],
    faults: [
      ['so.draftForwards + speculation.draftForwards', 'speculation.draftForwards'],
      ['this.#totalMs += totalMs', 'this.#totalMs = totalMs'],
    ],
  },
];
