import type { OutputRequest } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import assert from './assert.js';
import { type Autoregressive, type Forest, fullestRequest, pathOf, requestOf, withForest } from './forest-scores.js';
import { assertCode } from './laws.js';

/** Rows and widths of forwards whose costs are looked at. */
const FORWARDS = [1, 2, 3, 5, 8, 16] as const;

/** What an autoregressive model states of itself holds: its vocabulary, its costs, how many candidates it has, what has states. */
export async function assertStated(model: Autoregressive, open: () => Promise<Forest>): Promise<void> {
  const { vocabulary, supports } = model;
  const { size, endTokenId } = vocabulary;
  assert.ok(Number.isInteger(size) && size > 0, `a vocabulary has tokens, not ${size}`);
  const end = endTokenId === undefined || (Number.isInteger(endTokenId) && endTokenId >= 0 && endTokenId < size);
  assert.ok(end, `the end token is one of the ${size} tokens, or undefined, not ${endTokenId}`);
  assertCosts(model);
  await withForest(open(), (forest) => assertLongest(forest, model));
  for (const kind of supports.outputs) {
    const output = requestOf(kind, model);
    const offered = supports.states?.includes(kind) === true;
    if (offered) await withForest(open(), (forest) => assertStates(forest, output));
    else await withForest(open(), (forest) => assertCode(() => first(forest, { ...output, states: true }), NONE));
  }
  if (!supports.outputs.includes('topK')) return;
  const { maxCandidates } = supports;
  await withForest(open(), async (forest) => {
    const all = await first(forest, { kind: 'topK', k: maxCandidates });
    assert.ok(
      all.kind === 'topK' && all.k === maxCandidates && all.tokenIds.length === maxCandidates,
      `a model whose maxCandidates is ${maxCandidates} gives as many`,
    );
  });
  const more: OutputRequest = { kind: 'topK', k: maxCandidates + 1 };
  await withForest(open(), (forest) => assertCode(() => first(forest, more), NONE, 'INVALID_ARGUMENT'));
}

const NONE = 'UNSUPPORTED_CAPABILITY';

/** Longer paths take too long to be read in a test. */
const LONGEST = 512;

/** A path is as long as it may be: it can be read to its last node. */
async function assertLongest(forest: Forest, model: Autoregressive): Promise<void> {
  const { maxLength } = model;
  assert.ok(Number.isInteger(maxLength) && maxLength > 0, `maxLength is a number of nodes, not ${maxLength}`);
  if (maxLength > LONGEST) return;
  const nodes = new NodeBatch();
  const { prefix } = forest.start(0);
  nodes.addChain(0, ROOT, pathOf(forest, 0, new Array(maxLength - prefix.length).fill(1)), 'last');
  await forest.extend(nodes, fullestRequest(model));
}

/** What follows the first tokens of row 0. */
function first(forest: Forest, output: OutputRequest) {
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, pathOf(forest, 0, []), 'last');
  return forest.extend(nodes, output);
}

function assertCosts({ costs }: Autoregressive): void {
  if (costs === undefined) return;
  const below = (at: number) => FORWARDS[at - 1];
  for (const [row, rows] of FORWARDS.entries()) {
    for (const [node, nodes] of FORWARDS.entries()) {
      const cost = costs.milliseconds(rows, nodes);
      const words = `costs are milliseconds, but those of ${rows} rows with ${nodes} nodes are ${cost}`;
      assert.ok(cost > 0 && cost < Number.POSITIVE_INFINITY, words);
      const fewer = [
        row > 0 ? costs.milliseconds(below(row), nodes) : 0,
        node > 0 ? costs.milliseconds(rows, below(node)) : 0,
      ];
      assert.ok(
        fewer.every((less) => less <= cost),
        `no forward costs less than a smaller one, but ${words}`,
      );
    }
  }
}

/** Hidden states come beside the scores, one as long as the other; without being asked for none do. */
async function assertStates(forest: Forest, output: OutputRequest): Promise<void> {
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, pathOf(forest, 0, [1]), 'all');
  const scored = nodes.tokenId.length;
  const { states } = await forest.extend(nodes, { ...output, states: true });
  assert.ok(states instanceof Float32Array, `hidden states of ${output.kind} are there where they are offered`);
  const whole = states.length > 0 && states.length % scored === 0;
  assert.ok(whole, `${states.length} hidden states are a row for each of ${scored} scored nodes`);
}
