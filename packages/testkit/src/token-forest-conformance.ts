import type { ForetokenError, NodeId, OutputKind, TokenSource } from '@foretoken/core';
import { checkOptions, integer, NodeBatch, nodeIdOf, type OptionTable, ROOT } from '@foretoken/core/kit';
import assert from './assert.js';
import {
  type Autoregressive,
  assertClose,
  assertOutputsRefused,
  type Forest,
  fullestRequest,
  pathOf,
  picker,
  read,
  requestOf,
  scoresOf,
  withForest,
} from './forest-scores.js';
import { assertJoins, assertOwnArrays, assertUnshared } from './join-laws.js';
import { assertKindsAgree } from './kinds-agree.js';
import { assertCode, rejectsWith } from './laws.js';
import { assertOptions, modelSuiteOptions, REQUIRED } from './model-suite.js';
import type { Runner } from './runner.js';
import { assertStated } from './stated-laws.js';

/** The autoregressive model under test. */
export interface TokenForestConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** The model under test; called once a law. */
  readonly createModel: () => Autoregressive | Promise<Autoregressive>;
  /** Three sources at least, of different lengths. */
  readonly sources: readonly TokenSource[];
  /** Largest difference of a score that is computed beside others or piece by piece (default 0). */
  readonly tolerance?: number | undefined;
  /** Random scripts to try; default 8. */
  readonly scripts?: number | undefined;
}

const OPTIONS: OptionTable<TokenForestConformanceOptions> = {
  ...modelSuiteOptions<Autoregressive>(),
  scripts: integer(1),
};

const SCRIPT_STEPS = 7;
interface Known {
  readonly row: number;
  readonly path: readonly number[];
}

/** The laws that every token forest keeps, whatever its nodes keep. */
export function tokenForestConformance(options: TokenForestConformanceOptions): void {
  const {
    runner,
    name,
    createModel,
    sources,
    tolerance = 0,
    scripts = 8,
  } = checkOptions('tokenForestConformance', options, OPTIONS, REQUIRED);
  const law = (title: string, body: (model: Autoregressive) => Promise<void>): void =>
    runner.it(title, async () => body(await createModel()));
  const open = (model: Autoregressive, rows: readonly number[], joining?: boolean): Promise<Forest> =>
    model.open(
      rows.map((row) => sources[row]),
      { joining },
    );

  runner.describe(`${name} keeps the laws of token forests`, () => {
    law(
      'scores a node as reading its whole path does, whatever grew, branched, was taken back or ended',
      async (model) => {
        const { branching, rollback } = model.supports;
        const output = fullestRequest(model);
        for (let seed = 1; seed <= scripts; seed++) {
          const pick = picker(seed);
          const rows = Array.from({ length: 1 + pick(sources.length) }, (_, row) => row);
          await withForest(open(model, rows), async (forest) => {
            const alive = new Map<NodeId, Known>();
            const latest = new Map<number, NodeId>();
            for (let step = 0; step < SCRIPT_STEPS && rows.length > 0; step++) {
              const row = rows[pick(rows.length)];
              const own = [...alive].filter(([, known]) => known.row === row);
              const kind = pick(5);
              if (kind === 0 && rollback && own.length > 0) {
                const [leaf] = own[pick(own.length)];
                // A search keeps several.
                const [other] = branching ? own[pick(own.length)] : [leaf];
                const leaves = [...new Set([leaf, other])];
                forest.retain(row, leaves);
                for (const [node] of own) if (!leaves.includes(node)) alive.delete(node);
                latest.set(row, leaf);
              } else if (kind === 1 && rows.length > 1) {
                forest.finish(row);
                rows.splice(rows.indexOf(row), 1);
                for (const [node] of own) alive.delete(node);
              } else {
                const nodes = new NodeBatch();
                const added: (Known & { readonly handle: number })[] = [];
                for (const at of rows) {
                  // A chain below the newest node, or below any where there are branches.
                  const below = [...alive].filter(([, known]) => known.row === at);
                  const some = branching && pick(2) === 0 ? below[pick(below.length)] : undefined;
                  const [parent, from] = some ??
                    below.find(([node]) => node === latest.get(at)) ?? [ROOT, { path: [] }];
                  const tokenIds = Array.from({ length: 1 + pick(3) }, () => pick(model.vocabulary.size));
                  const chain = from.path.length === 0 ? pathOf(forest, at, tokenIds) : tokenIds;
                  const path = [...from.path, ...chain];
                  added.push({ row: at, path, handle: nodes.addChain(at, parent, chain, 'last') });
                }
                const extension = await forest.extend(nodes, output);
                const scores = scoresOf(extension, added.length);
                for (const [index, { row: at, path, handle }] of added.entries()) {
                  const whole = await withForest(open(model, [at]), (alone) => read(alone, 0, ROOT, path, output));
                  assertClose(scores[index], whole.scores, tolerance, `row ${at}, path ${path.join(' ')}`);
                  const node = nodeIdOf(handle, extension.firstNode);
                  alive.set(node, { row: at, path });
                  latest.set(at, node);
                }
              }
            }
          });
        }
      },
    );

    law('states of itself what holds, and refuses no sources by code', async (model) => {
      await assertStated(model, () => open(model, [0]));
      await assertCode(() => model.open([]), 'EMPTY_SOURCE');
    });

    law('gives in each kind of output what it gives in the others', async (model) => {
      await withForest(open(model, [0]), async (forest) => {
        const path = pathOf(forest, 0, [0, 1]);
        const said = new Map<OutputKind, readonly number[]>();
        for (const kind of model.supports.outputs) {
          const alone = await withForest(open(model, [0]), (other) =>
            read(other, 0, ROOT, path, requestOf(kind, model)),
          );
          said.set(kind, alone.scores);
        }
        assertKindsAgree(said, tolerance);
      });
    });

    law('scores the nodes that were asked for, in their order, and no others', async (model) => {
      const output = fullestRequest(model);
      await withForest(open(model, [0, 1]), async (forest) => {
        const nodes = new NodeBatch();
        const asked: Known[] = [];
        for (const row of [1, 0]) {
          let parent: number = ROOT;
          const path = pathOf(forest, row, [1, 0, 1]);
          for (const [index, tokenId] of path.entries()) {
            const scored = index === 0 || index === path.length - 1;
            parent = nodes.add(row, parent, tokenId, scored);
            if (scored) asked.push({ row, path: path.slice(0, index + 1) });
          }
        }
        const scores = scoresOf(await forest.extend(nodes, output), asked.length);
        for (const [index, { row, path }] of asked.entries()) {
          const alone = await withForest(open(model, [row]), (other) => read(other, 0, ROOT, path, output));
          assertClose(scores[index], alone.scores, tolerance, `scored node ${index}`);
        }
      });
    });

    law('gives arrays away, and reads those it is given during the call only', (model) =>
      assertOwnArrays(open(model, [0, 1]), open(model, [0]), fullestRequest(model), tolerance),
    );

    law('refuses bad nodes by code, and adds none of them', async (model) => {
      const output = fullestRequest(model);
      await withForest(open(model, [0, 1]), async (forest) => {
        const path = pathOf(forest, 0, [1]);
        const { node, scores } = await read(forest, 0, ROOT, path, output);
        const refused = async (
          row: number,
          parent: NodeId,
          tokenIds: readonly number[],
          ...codes: ForetokenError['code'][]
        ) => {
          // Good nodes of another row come first.
          const nodes = new NodeBatch();
          nodes.addChain(1, ROOT, pathOf(forest, 1, []), 'last');
          nodes.addChain(row, parent, tokenIds, 'last');
          await assertCode(() => forest.extend(nodes, output), ...codes);
        };
        await refused(0, node, [model.vocabulary.size], 'INVALID_ARGUMENT');
        await refused(0, node, [-1], 'INVALID_ARGUMENT');
        await refused(0, node + 1, [1], 'INVALID_NODE');
        await refused(1, node, [1], 'INVALID_NODE', 'UNSUPPORTED_CAPABILITY');
        await refused(2, ROOT, [1], 'INVALID_NODE');
        await refused(0, node, new Array(model.maxLength + 1 - path.length).fill(1), 'LENGTH_LIMIT');
        await assertCode(() => forest.extend(new NodeBatch(), output), 'INVALID_ARGUMENT');
        const unscored = new NodeBatch();
        unscored.add(0, node, 1, false);
        await assertCode(() => forest.extend(unscored, output), 'INVALID_ARGUMENT');
        await assertCode(async () => forest.retain(0, [node + 1]), 'INVALID_NODE');
        await assertCode(async () => forest.start(2), 'INVALID_NODE');
        // Nothing of it was added: the next node has the next id, and the other row begins with its first.
        const next = await read(forest, 0, node, [1], output);
        assert.equal(next.node, node + 1, 'ids follow one another');
        const again = await withForest(open(model, [0]), (alone) => read(alone, 0, ROOT, path, output));
        assertClose(scores, again.scores, tolerance, 'what was there stays');
        const other = await read(forest, 1, ROOT, pathOf(forest, 1, []), output);
        const id = next.node + forest.start(1).prefix.length;
        assert.equal(other.node, id, 'ids are given out once, by place in the batch');
      });
    });
    law('refuses options that it does not have, and values of a wrong type', async (model) => {
      await assertOptions(async (options) => model.open(sources, options));
      await assertUnshared(model, sources);
      const encoding = { rows: sources.length, dispose: () => {} };
      await assertCode(() => model.open(sources, { encoding }), 'INVALID_ARGUMENT');
      await withForest(open(model, [0]), async (forest) => {
        const tokenId = forest.start(0).prefix.slice(0, 1);
        const nodes = { row: Int32Array.of(0), parent: Int32Array.of(ROOT), tokenId };
        const output = fullestRequest(model);
        for (const wrong of [null, { kind: output.kind, k: 1, state: true }, { ...output, states: 1 }]) {
          await assertCode(() => forest.extend(nodes, wrong as never), 'INVALID_ARGUMENT');
        }
        await assertOutputsRefused(model, (wrong) => forest.extend(nodes, wrong));
        for (const wrong of [null, { ...nodes, score: tokenId }, { ...nodes, row: new Int32Array(2) }]) {
          await assertCode(() => forest.extend(wrong as never, output), 'INVALID_ARGUMENT');
        }
      });
    });

    law('forgets a finished row, and gives its ids to nobody', async (model) => {
      const output = fullestRequest(model);
      await withForest(open(model, [0, 1]), async (forest) => {
        const first = await read(forest, 0, ROOT, pathOf(forest, 0, []), output);
        const other = await read(forest, 1, ROOT, pathOf(forest, 1, []), output);
        forest.finish(0);
        for (const call of [() => forest.finish(0), () => forest.retain(0, []), () => forest.start(0)]) {
          await assertCode(async () => call(), 'INVALID_NODE');
        }
        await assertCode(() => read(forest, 0, first.node, [1], output), 'INVALID_NODE');
        const next = await read(forest, 1, other.node, [1], output);
        assert.equal(next.node, other.node + 1, 'an id is never given out again');
        assert.equal(forest.rows, 2, 'rows keep their numbers');
      });
    });

    law('lets nothing change rows while a call is running, and ends it with DISPOSED', async (model) => {
      const output = fullestRequest(model);
      await withForest(open(model, [0]), async (forest) => {
        const { node } = await read(forest, 0, ROOT, pathOf(forest, 0, []), output);
        const running = read(forest, 0, node, [1], output);
        // All at once: a forward may be over at the next turn.
        await Promise.all([
          assertCode(async () => forest.retain(0, [node]), 'INVALID_ARGUMENT'),
          assertCode(async () => forest.finish(0), 'INVALID_ARGUMENT'),
          assertCode(() => read(forest, 0, node, [0], output), 'INVALID_ARGUMENT'),
        ]);
        const next = await running;
        const interrupted = assertCode(() => read(forest, 0, next.node, [1], output), 'DISPOSED');
        await Promise.all([interrupted, forest[Symbol.asyncDispose]()]);
        await assertCode(() => read(forest, 0, next.node, [1], output), 'DISPOSED');
        for (const call of [() => forest.finish(0), () => forest.retain(0, []), () => forest.start(0)]) {
          await assertCode(async () => call(), 'DISPOSED');
        }
      });
    });

    law('computes nothing for a signal that was aborted', async (model) => {
      const output = fullestRequest(model);
      const reason = new Error('enough');
      await withForest(open(model, [0]), async (forest) => {
        const nodes = new NodeBatch();
        nodes.addChain(0, ROOT, pathOf(forest, 0, []), 'last');
        assert.ok(await rejectsWith(() => forest.extend(nodes, output, AbortSignal.abort(reason)), reason));
        const { firstNode } = await forest.extend(nodes, output);
        assert.equal(firstNode, 0, 'nothing was added');
      });
    });

    law('lets rows join and leave without a bit of difference to the others, or refuses to', async (model) => {
      const output = fullestRequest(model);
      const [, , third] = sources;
      if (model.supports.joining !== true) {
        await assertCode(() => open(model, [0], true), 'UNSUPPORTED_CAPABILITY');
      }
      await withForest(open(model, [0]), async (forest) => {
        if (forest.join === undefined) return;
        await assertCode(async () => forest.join?.([third]), 'UNSUPPORTED_CAPABILITY');
        assert.equal(forest.rows, 1, 'no row was added');
      });
      if (model.supports.joining !== true) return;
      await assertJoins(model, output, open, sources);
    });
  });
}
