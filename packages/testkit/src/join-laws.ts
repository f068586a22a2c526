import type { NodeId, OutputRequest, TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import assert from './assert.js';
import { type Autoregressive, assertClose, type Forest, pathOf, read, scoresOf, withForest } from './forest-scores.js';
import { assertCode } from './laws.js';

/** What each row says of a few tokens, one after the other, must be what it says alone. */
export async function assertJoins(
  model: Autoregressive,
  output: OutputRequest,
  open: (model: Autoregressive, rows: readonly number[], joining?: boolean) => Promise<Forest>,
  sources: readonly TokenSource[],
): Promise<void> {
  const tokenAt = (row: number, step: number): number => (3 * row + 5 * step) % model.vocabulary.size;
  const steps = 5;
  const alone = await Promise.all(
    sources.map((_, source) =>
      withForest(open(model, [source], true), async (forest) => {
        const said: (readonly number[])[] = [];
        let node: NodeId = ROOT;
        for (let step = 0; step < steps; step++) {
          const next = step === 0 ? pathOf(forest, 0, []) : [tokenAt(source, step)];
          const given = await read(forest, 0, node, next, output);
          said.push(given.scores);
          node = given.node;
        }
        return said;
      }),
    ),
  );
  for (const begin of [1, 2]) {
    const running = sources.map((_, source) => ({ source, row: source, step: 0, node: ROOT }));
    const waiting = running.splice(begin);
    await withForest(
      open(
        model,
        running.map(({ source }) => source),
        true,
      ),
      async (forest) => {
        while (running.length > 0) {
          const nodes = new NodeBatch();
          const handles = running.map(({ source, row, step, node }) =>
            nodes.addChain(row, node, step === 0 ? pathOf(forest, row, []) : [tokenAt(source, step)], 'last'),
          );
          const extension = await forest.extend(nodes, output);
          const scores = scoresOf(extension, running.length);
          for (const [index, one] of running.entries()) {
            assertClose(scores[index], alone[one.source]?.[one.step] ?? [], 0, `row ${one.row}, step ${one.step}`);
            one.node = nodeIdOf(handles[index], extension.firstNode);
            one.step++;
          }
          for (const over of running.filter(({ step }) => step === steps)) {
            forest.finish(over.row);
            running.splice(running.indexOf(over), 1);
          }
          const joining = waiting.shift();
          if (joining === undefined) continue;
          const before = forest.rows;
          const refused = forest.join?.([new Int32Array()] as never);
          // To a model that reads no tokens, this is no source at all.
          const readsTokens = sources[0] instanceof Int32Array;
          await assertCode(async () => refused, readsTokens ? 'EMPTY_SOURCE' : 'INVALID_ARGUMENT');
          assert.equal(forest.rows, before, 'a row that is refused is not added');
          assert.equal(await forest.join?.([sources[joining.source]]), before, 'join gives the new row');
          assert.equal(forest.rows, before + 1, 'and counts it');
          joining.row = before;
          running.push(joining);
        }
        await assertCode(async () => forest.start(forest.rows), 'INVALID_NODE');
      },
    );
  }
}

/** Rows begin with nothing cached where sharing is refused, even if their sources are the same. */
export async function assertUnshared(model: Autoregressive, sources: readonly TokenSource[]): Promise<void> {
  const same = [...sources, ...sources];
  await withForest(model.open(same, { sharing: false }), async (forest) => {
    for (let row = 0; row < forest.rows; row++) assert.equal(forest.start(row).cached, 0, 'nothing is cached');
  });
}

/** Whose arrays are whose: extensions and prefixes are given away, and new nodes are the caller's again after the call. */
export async function assertOwnArrays(
  opening: Promise<Forest>,
  alone: Promise<Forest>,
  output: OutputRequest,
  tolerance: number,
): Promise<void> {
  const expected = await withForest(alone, async (forest) => {
    const path = pathOf(forest, 0, [1]);
    const first = await read(forest, 0, ROOT, path, output);
    const second = await read(forest, 0, first.node, [0], output);
    return { path, said: [first.scores, second.scores] };
  });
  await withForest(opening, async (forest) => {
    forest.start(0).prefix.fill(0);
    const path = pathOf(forest, 0, [1]);
    assert.deepEqual(path, expected.path, 'a prefix that was given is a copy');
    const extend = async (above: NodeId, tokenIds: readonly number[]) => {
      const nodes = new NodeBatch();
      const end = nodes.addChain(0, above, tokenIds, 'last');
      const { row, parent, tokenId, scored } = nodes;
      const extension = await forest.extend({ row, parent, tokenId, scored }, output);
      for (const array of [row, parent, tokenId, scored]) array?.fill(0);
      return { extension, node: nodeIdOf(end, extension.firstNode) };
    };
    const first = await extend(ROOT, path);
    const kept = structuredClone(first.extension);
    const second = await extend(first.node, [0]);
    assert.deepEqual(first.extension, kept, 'arrays of an extension are given away');
    for (const [index, { extension }] of [first, second].entries()) {
      assertClose(scoresOf(extension, 1)[0], expected.said[index], tolerance, 'nodes that are read during the call');
    }
  });
}
