const CORRECTOR = ['packages/correction/test/corrector*.test.ts'];
const REFUSED = ['packages/correction/test/refused-words.test.ts'];
const ODD = ['packages/hub/test/odd-servers.test.ts'];
const HUB = ['packages/hub/test/fetch-from-hub.test.ts', 'packages/hub/test/precisions.test.ts'];
const CACHE = ['packages/hub/test/cache.test.ts', 'packages/hub/test/killed-downloads.test.ts'];

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
      ['[THRICE, ODD_CONTRACTION].some(', '[THRICE].some('],
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
      ['!(open && start === places[piece.text.length])', 'true'],
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
  {
    file: 'packages/hub/src/download.ts',
    tests: HUB,
    faults: [
      ['if (bytes > 0 && response.status !== 206) {', 'if (bytes < 0) {'],
      ["if (hash.digest('hex') !== file.digest.hex) throwBroken(item, bytes);", ''],
      ['{ range: `bytes', "{ 'x-range': `bytes"],
    ],
  },
  {
    file: 'packages/hub/src/download.ts',
    tests: ODD,
    faults: [
      ['cause.statusCode === 416 && from > 0', 'false'],
      ['if (isOther(response, file)) {', 'if (false) {'],
      ['isPacked ? isPage(headers)', 'isPacked ? false'],
    ],
  },
  {
    file: 'packages/hub/src/ask-hub.ts',
    tests: [...HUB, ...ODD, 'packages/hub/test/busy-servers.test.ts'],
    faults: [
      ['token !== undefined && isOwn', 'token !== undefined'],
      ["headers.set('authorization',", "headers.set('x-authorization',"],
      ['* 2 ** (tries - 1)', ''],
      ['Number(text) * 1000', 'Number(text)'],
      ['Date.parse(text) - now', 'Date.parse(text)'],
      ['|| wait > MAX_WAIT_MS', ''],
      ['{ signal }', '{}'],
    ],
  },
  {
    file: 'packages/hub/src/graph-weights.ts',
    tests: ['packages/hub/test/graph-weights.test.ts'],
    faults: [
      ['files.get(place + location)', 'files.get(location)'],
      ['file.bytes < required', 'false'],
    ],
  },
  {
    file: 'packages/hub/src/snapshot.ts',
    tests: ['packages/hub/test/graph-weights.test.ts'],
    faults: [
      ['isOld: version !== VERSION', 'isOld: false'],
      ['isOld ? 1 : VERSION', 'VERSION'],
    ],
  },
  {
    file: 'packages/hub/src/list-hub-files.ts',
    tests: ODD,
    faults: [['++pages > MAX_PAGES', '++pages > 10 * MAX_PAGES']],
  },
  {
    file: 'packages/hub/src/needed-files.ts',
    tests: ['packages/hub/test/needed-files.test.ts'],
    faults: [
      ['shardNames(await read(index), INDEX, repository, files)', 'files.map(({ path }) => path).slice(0, 0)'],
      ["!paths.includes('config.json') && ", ''],
    ],
  },
  {
    file: 'packages/hub/src/fetch-from-hub.ts',
    tests: HUB,
    faults: [["given.offline ?? /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? '')", 'given.offline']],
  },
  {
    file: 'packages/hub/src/download-files.ts',
    tests: [...HUB, 'packages/hub/test/graph-weights.test.ts'],
    faults: [
      ['before += bytes;', ''],
      ['downloadAll(fetching, more, kept)', 'downloadAll(fetching, more)'],
      ['.some(({ path }) => path === MANIFEST)', '.includes(undefined)'],
    ],
  },
  {
    file: 'packages/hub/src/kept-files.ts',
    tests: [...CACHE, ...ODD],
    faults: [
      ['look < MAX_LOOKS', 'look < 1'],
      ['if (before === known) return before;', 'if (known !== undefined) return before;'],
      ["if (hash.digest('hex') !== file.digest.hex) return undefined;", ''],
      ['[ino, size, mtimeNs, ctimeNs]', '[ino, size, mtimeNs]'],
    ],
  },
  {
    file: 'packages/hub/src/cache.ts',
    tests: CACHE,
    faults: [['if (caches && isAbsolute(caches))', 'if (caches)']],
  },
  {
    file: 'packages/core/src/node/regular-file.ts',
    tests: [
      'packages/hub/test/cache.test.ts',
      'packages/hub/test/killed-downloads.test.ts',
      'packages/importers/test/paths.test.ts',
    ],
    faults: [['const look = links ? stat : lstat;', 'const look = stat;']],
  },
  {
    file: 'packages/hub/src/hub-location.ts',
    tests: HUB,
    faults: [['--/.test(repository) || !isRevision', '--/.test(repository)']],
  },
];
