/** Values that nobody should pass as an option, a source or a field of a request; some are right for some fields. */
export const ODD_VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => Number.NEGATIVE_INFINITY,
  () => -1,
  () => -0,
  () => 0,
  () => 1,
  () => 2,
  () => 1.5,
  () => 1e308,
  () => 5n,
  () => '',
  () => 'ein Hund',
  () => '4',
  () => 'x'.repeat(100_000),
  () => Symbol('odd'),
  () => true,
  () => false,
  () => [],
  () => [1, 2],
  () => [Number.NaN],
  () => ['a', ''],
  () => [undefined],
  () => [[1, 2]],
  () => new Array(1_000_000_000),
  () => [Int32Array.of(1, 2)],
  () => [Int32Array.of(99)],
  () => [new Int32Array()],
  () => ({}),
  () => ({ length: 1 }),
  () => ({ 1: 2 }),
  () => ({ '-1': 2 }),
  () => ({ 1: 'a' }),
  () => JSON.parse('{"__proto__": 1, "constructor": 2}') as unknown,
  () => Object.create(null) as unknown,
  () => Object.create({ beamSize: 4 }) as unknown,
  () => ({ [Symbol('odd')]: 1 }),
  () => new Map(),
  () => new Map([[1, 2]]),
  () => new Map([['a', 1]]),
  () => new Map([[1, 'a']]),
  () => new Set([1]),
  () => new Date(0),
  () => /odd/,
  () =>
    new (class Options {
      beamSize = 4;
    })(),
  () => () => undefined,
  () => () => 'text',
  () => () => Number.NaN,
  () => () => Symbol('odd'),
  () => async () => 1,
  () => async () => {
    throw new Error('rejected');
  },
  () => [async () => Promise.reject(new Error('rejected'))],
  () => Promise.resolve(1),
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library.
  () => ({ then: (_resolve: unknown, reject: (reason: unknown) => void) => reject(new Error('rejected')) }),
  () => new Int32Array(),
  () => Int32Array.of(1, 2),
  () => Int32Array.of(-1),
  () => Int32Array.of(99),
  () => Float64Array.of(Number.NaN),
  () => Float32Array.of(5.9),
  () => Uint8Array.of(1),
  () => BigInt64Array.of(1n),
  () => new Int32Array(new SharedArrayBuffer(8)),
  () => {
    const detached = Int32Array.of(1, 2);
    structuredClone(detached, { transfer: [detached.buffer] });
    return detached;
  },
  () => new ArrayBuffer(8),
  () => new DataView(new ArrayBuffer(8)),
  () => new AbortController(),
  () => AbortSignal.abort('stopped'),
  () => ({ aborted: false }),
  () => new Proxy({}, {}),
  () => new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing, has: throwing }),
  () => new Proxy([1], { get: throwing }),
  () => new Proxy(Int32Array.of(1), {}),
  () => new Proxy({}, { get: () => () => undefined }),
  () => revoked(),
  () => ({
    get beamSize(): number {
      throw new Error('a getter that throws');
    },
  }),
  () => ({
    toString: throwing,
    valueOf: throwing,
    [Symbol.toPrimitive]: throwing,
  }),
  () => ({
    start: () => Promise.reject(new Error('rejected')),
    next: () => 0,
    allowed: () => undefined,
    score: () => 'a',
    end: () => 0,
  }),
  () => ({ start: () => 0, next: () => 0, allowed: () => [1, 1], score: async () => 1, end: () => 0 }),
  () => ({ strings: ['a'], textOf: async () => 'a' }),
  () => ({ strings: ['a'], textOf: () => undefined }),
  () => ({ strings: 'a', textOf: () => 'a' }),
  () => ({ open: () => undefined }),
  () => ({ name: 'odd', open: async () => undefined }),
  () => ({ decode: () => undefined, emit: () => undefined, open: () => undefined, after: 1, probability: 1 }),
];

function throwing(): never {
  throw new Error('a trap that throws');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Numbers in `[0, 1)` that depend on the seed alone (Steele et al., 2014, SplitMix, in 32 bits). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

export function anyOf<Value>(random: () => number, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)];
}
