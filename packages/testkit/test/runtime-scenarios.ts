import { NodeBatch, ROOT } from '@foretoken/core/kit';
import * as runtime from '@foretoken/core/runtime';
import {
  assertProviders,
  assertRows,
  cacheTensor,
  cacheValuesOf,
  cacheZeros,
  type ForwardNodes,
  GraphSession,
  gatherPaths,
  KeyValueStore,
  type NodeStore,
  PathStore,
  RecurrentStore,
  RowCache,
  RuntimeTimings,
  StoreForest,
  scoredLogits,
  scoredLogitsInTurns,
  threadsOf,
} from '@foretoken/core/runtime';
import { beforeAll } from 'vitest';
import {
  block,
  logitsOf,
  OUTPUT,
  onnxRuntime,
  pathDriver,
  recurrentDriver,
  SUPPORTS,
  stepDriver,
  VOCABULARY,
  WIDTH,
} from './right-drivers.js';

const store = () => ({
  extend: async ({ scored }: ForwardNodes) => logitsOf(scored.length),
  compact: () => {},
  copy: () => {},
  admit: () => {},
  release: () => {},
  dispose: () => {},
});

const forestOptions = (): Record<string, unknown> => ({
  store: store(),
  prefixes: [Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 2)],
  vocabularySize: VOCABULARY,
  maxLength: 8,
  supports: SUPPORTS,
  maxCells: 4,
  sharing: { block: 2, own: 1 },
  join: async () => ({ prefixes: [Int32Array.of(1, 2, 1)], admit: () => {} }),
});

const newNodes = () => {
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, [1, 2, 3], 'last');
  nodes.addChain(1, ROOT, [1, 2, 2], 'last');
  const { row, parent, tokenId } = nodes;
  return {
    row: row.slice(),
    parent: parent.slice(),
    tokenId: tokenId.slice(),
    scored: Uint8Array.of(0, 0, 1, 0, 0, 1),
  };
};

/** What a forest of two rows hands to its store. */
async function forwardNodes(): Promise<ForwardNodes> {
  let seen: ForwardNodes | undefined;
  const watching = {
    ...store(),
    extend: async (given: ForwardNodes) => {
      seen = given;
      return logitsOf(given.scored.length);
    },
  };
  const options = { ...forestOptions(), store: watching, maxCells: 1024, sharing: undefined };
  await using forest = new StoreForest(options as never);
  await forest.extend(newNodes(), { kind: 'logits' });
  if (seen === undefined) throw new Error('no nodes');
  return { ...seen };
}

interface Scenario {
  readonly right: () => readonly unknown[];
  // biome-ignore lint/suspicious/noExplicitAny: what is called with anything.
  readonly run: (...args: any[]) => unknown;
}

let nodes: ForwardNodes;
beforeAll(async () => {
  nodes = await forwardNodes();
});

const ROWS = 2;

const storeCalls = (made: NodeStore) => ({
  extend: async (given: unknown, output: unknown) => made.extend(given as ForwardNodes, output as never),
  compact: async (row: unknown, moves: unknown) => {
    await made.extend(nodes, { kind: 'logits' });
    made.compact(row as number, moves as never);
  },
});

const MOVES = [{ from: 2, to: 1, length: 1 }];

/** A store's methods, called with one odd value at a time; `make` gives it with two rows. */
const storeScenarios = (name: string, driver: () => object, make: (driver: never, rows: never) => NodeStore) => ({
  [name]: {
    right: () => [driver(), ROWS],
    run: async (given: never, rows: never) => {
      const made = make(given, rows);
      await made.extend(nodes, { kind: 'logits' });
      made.compact(0, MOVES);
      made.release(0);
      made.dispose();
    },
  },
  [`${name}.extend`]: {
    right: () => [{ ...nodes }, OUTPUT],
    run: (given: unknown, output: unknown) => storeCalls(make(driver() as never, ROWS as never)).extend(given, output),
  },
  [`${name}.compact`]: {
    right: () => [0, MOVES],
    run: (row: unknown, moves: unknown) => storeCalls(make(driver() as never, ROWS as never)).compact(row, moves),
  },
  [`${name}.admit`]: {
    right: () => [3],
    run: (rows: never) => make(driver() as never, ROWS as never).admit(rows),
  },
  [`${name}.release`]: {
    right: () => [1],
    run: (row: never) => make(driver() as never, ROWS as never).release(row),
  },
});

const cache = () => new RowCache(ROWS, 2, WIDTH);

const cacheScenarios: Record<string, Scenario> = {
  RowCache: {
    right: () => [ROWS, 2, WIDTH, 8, 16, 'float32'],
    run: (...args) => Reflect.construct(RowCache, args),
  },
  ...Object.fromEntries(
    Object.entries<() => readonly unknown[]>({
      viewSingle: () => [3],
      viewRows: () => [0, 2],
      reserve: () => [20],
      relax: () => [2],
      admit: () => [2],
      write: () => [0, 1, new Float32Array(12), 1, 2],
      writePart: () => [0, 1, new Float32Array(4)],
      copy: () => [0, 1, 3],
      compact: () => [0, MOVES],
      release: () => [0],
    }).map(([method, right]): [string, Scenario] => [
      `RowCache.${method}`,
      {
        right,
        run: (...args) => {
          const made = cache();
          return Reflect.apply(made[method as 'release'], made, args);
        },
      },
    ]),
  ),
};

const forestScenarios: Record<string, Scenario> = {
  StoreForest: {
    right: () => [forestOptions()],
    run: async (options: never) => {
      await using forest = await StoreForest.open<number>(options);
      for (let row = 0; row < forest.rows; row++) forest.start(row);
      await forest.extend(newNodes(), { kind: 'logits' });
      await forest.join([3]);
      forest.finish(0);
    },
  },
  ...Object.fromEntries(
    Object.entries<() => readonly unknown[]>({
      start: () => [0],
      extend: () => [newNodes(), OUTPUT, new AbortController().signal],
      retain: () => [0, [1]],
      finish: () => [1],
      join: () => [[Int32Array.of(1)], {}],
    }).map(([method, right]): [string, Scenario] => [
      `StoreForest.${method}`,
      {
        right,
        run: async (...args) => {
          await using forest = new StoreForest(forestOptions() as never);
          if (method === 'retain') await forest.extend(newNodes(), { kind: 'logits' });
          return await Reflect.apply(forest[method as 'start'], forest, args);
        },
      },
    ]),
  ),
};

const content = () => ({ path: '/m/step.onnx', graph: new Uint8Array(4), externalData: new Map() });

const session = async (given = onnxRuntime(), ...rest: readonly unknown[]) => {
  const made = await Reflect.apply(GraphSession.create, GraphSession, [given, ...rest]);
  try {
    made.inputType('x');
    await made.run({});
  } finally {
    await made.dispose();
  }
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  cacheZeros: { right: () => ['float32', 4], run: cacheZeros },
  cacheValuesOf: { right: () => [{ type: 'float32', data: Float32Array.of(1) }], run: cacheValuesOf },
  cacheTensor: { right: () => [onnxRuntime(), Float32Array.of(1, 2), [1, 2]], run: cacheTensor },
  assertProviders: { right: () => [onnxRuntime(), ['cpu']], run: assertProviders },
  executionProviders: { right: () => [['cpu']], run: (value) => runtime.executionProviders('option', value) },
  assertRows: { right: () => [SUPPORTS, 3], run: assertRows },
  threadsOf: { right: () => [onnxRuntime(), 1], run: threadsOf },
  scoredLogits: { right: () => [new Float32Array(8), 4, OUTPUT], run: scoredLogits },
  'scoredLogits, the best': { right: () => [new Float32Array(8), 4, { kind: 'topK', k: 2 }], run: scoredLogits },
  scoredLogitsInTurns: { right: () => [new Float32Array(8), 4, OUTPUT], run: scoredLogitsInTurns },
  gatherPaths: {
    right: () => [[{ block: block(2, 3), lane: 1 }], 2],
    run: gatherPaths,
  },
  GraphSession: {
    right: () => [onnxRuntime(), content(), { threads: 1 }, new RuntimeTimings()],
    run: session,
  },
  'GraphSession itself': {
    right: () => ['/m/step.onnx', { run: async () => ({}), release: async () => {} }, new RuntimeTimings()],
    run: (...args) => (Reflect.construct(GraphSession, args) as GraphSession).dispose(),
  },
  ...storeScenarios('RecurrentStore', recurrentDriver, (driver, rows) => new RecurrentStore(driver, rows)),
  ...storeScenarios('PathStore', pathDriver, (driver, rows) => new PathStore(driver, rows)),
  ...storeScenarios('KeyValueStore', stepDriver, (driver, rows) => {
    return new KeyValueStore({ driver, rows, parts: 2, partWidth: WIDTH });
  }),
  'KeyValueStore options': {
    right: () => [{ driver: stepDriver(), rows: ROWS, parts: 2, partWidth: WIDTH, type: 'float32', joining: true }],
    run: async (options: never) => {
      const made = new KeyValueStore(options);
      await made.extend(nodes, { kind: 'logits' });
      made.copy(0, 1, 2);
    },
  },
  'KeyValueStore.copy': {
    right: () => [0, 1, 2],
    run: (...args: [never, never, never]) =>
      new KeyValueStore({ driver: stepDriver() as never, rows: ROWS, parts: 2, partWidth: WIDTH }).copy(...args),
  },
  ...cacheScenarios,
  ...forestScenarios,
};
