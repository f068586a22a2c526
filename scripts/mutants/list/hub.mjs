const ODD = ['packages/hub/test/odd-servers.test.ts'];
const HUB = ['packages/hub/test/fetch-from-hub.test.ts', 'packages/hub/test/precisions.test.ts'];
const CACHE = ['packages/hub/test/cache.test.ts', 'packages/hub/test/killed-downloads.test.ts'];

export default [
  {
    file: 'packages/hub/src/download.ts',
    tests: HUB,
    faults: [
      ['if (bytes > 0 && response.status !== 206) {', 'if (bytes < 0) {'],
      ["if (hash.digest('hex') !== file.digest.hex) throwBroken(item, bytes);", ''],
      ["headers.set('range',", "headers.set('x-range',"],
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
      ['until - now', 'until'],
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
