const CORRECTOR = ['packages/correction/test/corrector*.test.ts'];
const REFUSED = ['packages/correction/test/refused-words.test.ts'];

export default [
  {
    file: 'packages/correction/src/pieces.ts',
    tests: CORRECTOR,
    faults: [
      ['if (space && open) continue;', ''],
      ['tooLong.push(words[decided++]);', 'decided++;'],
      ['const closes = follows ? words[next].start - 1 :', 'const closes = follows ? words[next - 1].start :'],
      ['if (close < end && ABBREVIATED.test(', 'if (false && ABBREVIATED.test('],
      [".replace(LINE_ENDS, ' ')", ''],
      ['if (close > known) break;', ''],
      ['last > from ? last : yield* wordBefore(text, from, known)', 'known'],
      ['if (fits(open, sizes.max)) continue;', 'if (fits(open, sizes.usual)) continue;'],
      ['if (fits(longer, sizes.usual)) {', 'if (fits(longer, sizes.max)) {'],
      ['places.set(other.places, one.text.length);', 'places.set(other.places, one.text.length - 1);'],
      ['first === 0 ? span.start : span.start + 1', 'span.start'],
      ['const goesOn = last < words.length;', 'const goesOn = false;'],
      ['&& total + sizes[first - 1] <= usual / 4', ''],
      ['Math.max(1, count(', 'Math.max(0, count('],
    ],
  },
  {
    file: 'packages/correction/src/spelled-letters.ts',
    tests: CORRECTOR,
    faults: [
      ['text.toLowerCase().match(', 'text.match('],
      ['new Set(PLAIN_LETTERS)', 'new Set()'],
    ],
  },
  {
    file: 'packages/correction/src/edits.ts',
    tests: [...CORRECTOR, 'packages/correction/test/coupled.test.ts'],
    faults: [
      ['isRare(word) || wordsOf(', 'wordsOf('],
      ['isRare(word) || wordsOf', 'true || wordsOf'],
      ['index <= open || (last', '(last'],
      ['open = Math.max(open, moved);', 'open = moved;'],
      ['left.toLowerCase() === right.toLowerCase()', 'true'],
      [
        "if (rewritten || parts.some((part) => isInvented(part, text)) || losesWord(parts, text)) return 'invented';",
        '',
      ],
      ['ofName || isOdd ? NAME_CONFIDENCE : 0', '0'],
      ['ofName || isOdd ? NAME_CONFIDENCE : 0', 'ofName ? NAME_CONFIDENCE : 0'],
      ['clarity < CLEAR ? UNCLEAR_CONFIDENCE : 0', '0'],
      ['spans.alteredBy(part)))) return', 'spans.alteredBy(part) && false))) return'],
    ],
  },
  {
    file: 'packages/correction/src/unlike-corrections.ts',
    tests: CORRECTOR,
    faults: [
      ['if (marksOf(before, STRUCTURE) !== marksOf(after, STRUCTURE)) return true;', ''],
      ['DASH_ALONE.test(around) && ', ''],
      ['if (DASH_ALONE.test(around)', 'if (DASH_ALONE.test(before)'],
      ["return before === '' && besideLike;", "return before === '' && false;"],
      ['MIXED.test(after) && after.toUpperCase() === before', 'false'],
      ['return CAPITALS.test(before) && after.toUpperCase() === before;', 'return false;'],
      ['(?![©®™])', ''],
      ["if (text.slice(start, end).trim() !== '') return false;", ''],
      ['[before, next].some(', '[before].some('],
      ['>= LONG && ', '>= LONG || '],
      ['word.length >= SOME && ', ''],
      ['&& !near.includes(word)', ''],
      [' && !putIn.includes(word)', ''],
      ['[THRICE, TWICE_FIRST, ODD_CONTRACTION].some(', '[THRICE, TWICE_FIRST].some('],
      ['[THRICE, TWICE_FIRST, ODD_CONTRACTION].some(', '[THRICE, ODD_CONTRACTION].some('],
    ],
  },
  {
    file: 'packages/correction/src/capitals.ts',
    tests: CORRECTOR,
    faults: [
      ['...wordsIn(before), ', ''],
      ['[...last, ', '['],
      ['capitals.length > 1', 'capitals.length > 0'],
      ['if (SMALL.test(before)) return after;', ''],
    ],
  },
  {
    file: 'packages/correction/src/command-lines.ts',
    tests: ['packages/correction/test/code-lines.test.ts'],
    faults: [
      ['!SAID.test(line) && ', ''],
      ['[TOLD, WITH_PLACE, OPTION]', '[TOLD, OPTION]'],
      ['CLOSES_DATA.test(line) && ', ''],
    ],
  },
  {
    file: 'packages/correction/src/proposals.ts',
    tests: CORRECTOR,
    faults: [
      ['changes.filter((change) => written(piece, decoded, change) !== cut(piece.text, change.before))', 'changes'],
    ],
  },
  {
    file: 'packages/correction/src/code-lines.ts',
    tests: ['packages/correction/test/code-lines.test.ts'],
    faults: [
      ["if (isStatement(code) || code.endsWith(';')) return true;", "if (code.endsWith(';')) return true;"],
      ["if (isStatement(code) || code.endsWith(';')) return true;", 'if (isStatement(code)) return true;'],
      ['if (apart && !THREE_WORDS.test(code)) return true;', 'if (apart) return true;'],
      ['(CODE_TERM.test(line) && !isSaid(line))', 'CODE_TERM.test(line)'],
      ["else if (depth === 0 && unit === ' ') return false;", ''],
    ],
  },
  {
    file: 'packages/correction/src/decode-piece.ts',
    tests: CORRECTOR,
    faults: [
      ['tokenLogProbs.set(logProbs);', ''],
      [
        "if (finishReason !== 'end-token' || tokenLogProbs === undefined) return 'endless';",
        "if (tokenLogProbs === undefined) return 'endless';",
      ],
      [
        "if (source === undefined) return 'too-long';\n    const began",
        "if (source === undefined) return 'endless';\n    const began",
      ],
    ],
  },
  {
    file: 'packages/correction/src/proposals.ts',
    tests: CORRECTOR,
    faults: [
      ['!(open && end === close && (start === close || !SAYS.test(before + after))),', 'true,'],
      ['Math.max(0, first - AROUND), last + 1 + AROUND', 'first, last + 1'],
      ['Math.max(0, first - AROUND), last + 1 + AROUND', '0'],
    ],
  },
  {
    file: 'packages/correction/src/wrapping.ts',
    tests: CORRECTOR,
    faults: [
      ['const closed = !this.#isBlank(prose.end, line.end);', 'const closed = false;'],
      ['word !== undefined && !marked', 'word !== undefined'],
      ['this.#widest >= NARROWEST && full && !ENDS.test(tail)', 'this.#widest >= NARROWEST && full'],
      ['this.#widest >= NARROWEST && full', 'this.#widest >= NARROWEST'],
      ['marked || !SMALL.test(head) ? width : 0', 'width'],
      ['(OPEN_WORD.test(tail) ? GOES_ON_WITH_NAME : GOES_ON)', 'GOES_ON'],
      ['(OPEN_WORD.test(tail) ? GOES_ON_WITH_NAME : GOES_ON)', 'GOES_ON_WITH_NAME'],
      ['this.#last = undefined;', ''],
    ],
  },
  {
    file: 'packages/correction/src/protected-spans.ts',
    tests: CORRECTOR,
    faults: [
      ['keep.has(text.slice(start, end).toLowerCase())', 'keep.has(text.slice(start, end))'],
      ["text.charAt(end) === ')' ? word.toUpperCase() : word", 'word'],
    ],
  },
  {
    file: 'apps/cli/src/commands/correct.ts',
    tests: ['apps/cli/test/correct-lines.test.ts'],
    faults: [
      ['if (warned !== line.number) await', 'await'],
      ['      await writer.passed(line);\n', ''],
      ['code: oneText ? code : undefined', 'code'],
      ["variant: 'draft' }", "variant: 'fast' }"],
      ['    await model[Symbol.asyncDispose]();\n', ''],
    ],
  },
  {
    file: 'apps/cli/src/wrapped-lines.ts',
    tests: ['apps/cli/test/correct.test.ts'],
    faults: [
      ['text: open.text + open.ending + line.text', 'text: open.text + line.text'],
      ['GOES_ON.test(line.text) ||', 'true ||'],
      ['GOES_ON.test(line.text) || (SHORT_WORD.test(end) && NAME.test(line.text))', 'GOES_ON.test(line.text)'],
    ],
  },
  {
    file: 'packages/correction/src/corrector.ts',
    tests: CORRECTOR,
    faults: [
      ['leftAlone.push(untouched(text, piece.core, decoded));', ''],
      [
        'if (reason === undefined) proposals.push(proposal);\n          else leftAlone',
        'proposals.push(proposal);\n          if (reason !== undefined) leftAlone',
      ],
      ['lattice === undefined ? 0 : LATTICE_CONFIDENCE', '0'],
    ],
  },
  {
    file: 'packages/correction/src/prose-lines.ts',
    tests: CORRECTOR,
    faults: [
      ['HEADING.test(text.slice(Math.max(line.start, start - SHOWN), start)) ||', ''],
      ["text.slice(end, Math.min(line.end, end + SHOWN)).includes('|')", 'false'],
      ['if (fence?.startsWith(this.#fence) === true && line.trim() === fence)', 'if (fence !== undefined)'],
    ],
  },
  {
    file: 'packages/correction/src/refused-tokens.ts',
    tests: REFUSED,
    faults: [
      ['if (!letter && isRefused(words, place, held)) return true;', ''],
      ['ending(place)) if (!held.has(entry)) return true;', 'ending(place)) if (held.has(entry)) return true;'],
      ['if (begun && words.open(place) <= index) return false;', 'if (begun && index > 0) return false;'],
    ],
  },
  {
    file: 'packages/correction/src/word-automaton.ts',
    tests: REFUSED,
    faults: [
      ['at === ROOT ? ROOT : this.#follow(node.fail, key)', 'ROOT'],
      ['node.entry === undefined ? this.#nodes[node.fail].found : at', 'node.entry === undefined ? ROOT : at'],
    ],
  },
  {
    file: 'packages/correction/src/without-refused.ts',
    tests: REFUSED,
    faults: [
      ['this.#reader.place = taken.place;', ''],
      ['this.#made[first - 1].end >= begin', 'this.#made[first - 1].end > begin'],
      ['this.#next = taken.index + 1;', ''],
    ],
  },
  {
    file: 'packages/correction/src/spans.ts',
    tests: ['packages/correction/test/turns.test.ts'],
    faults: [
      ['const part = text.slice(begin, until + reach);', 'const part = text.slice(begin, until);'],
      ['at = Math.max(at, end);', ''],
      ['this.#ends[low - 1] > span.start', 'this.#ends[low - 1] >= span.start'],
    ],
  },
  {
    file: 'packages/correction/src/word-distance.ts',
    tests: ['packages/correction/test/changes.test.ts'],
    faults: [['cost = Math.min(cost, earlier[column - 2] + 1);', '']],
  },
];
