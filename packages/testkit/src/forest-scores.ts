import type {
  AutoregressiveModel,
  Extension,
  NodeId,
  OutputKind,
  OutputRequest,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertCode } from './laws.js';

export type Autoregressive = AutoregressiveModel<TokenSource>;
export type Forest = TokenForest<TokenSource>;

/** A request of a kind that a model offers. */
export function requestOf(kind: OutputKind, { supports }: Autoregressive): OutputRequest {
  return kind === 'topK' ? { kind, k: Math.min(3, supports.maxCandidates) } : { kind };
}

/** The output that says most of those that a model offers. */
export function fullestRequest(model: Autoregressive): OutputRequest {
  const kinds = ['logits', 'logProbs', 'topK', 'argmax'] as const;
  const kind = kinds.find((one) => model.supports.outputs.includes(one));
  assert.ok(kind !== undefined, 'a model offers an output');
  return requestOf(kind, model);
}

const KINDS: readonly OutputKind[] = ['logits', 'logProbs', 'topK', 'argmax'];

/** Kinds of output that a model does not offer, and numbers of candidates that it does not have, are refused by code. */
export async function assertOutputsRefused(
  model: Autoregressive,
  extend: (output: OutputRequest) => Promise<unknown>,
): Promise<void> {
  const { outputs, states = [], maxCandidates } = model.supports;
  for (const kind of KINDS) {
    const output = requestOf(kind, model);
    if (!outputs.includes(kind)) await assertCode(() => extend(output), 'UNSUPPORTED_CAPABILITY');
    if (!states.includes(kind)) await assertCode(() => extend({ ...output, states: true }), 'UNSUPPORTED_CAPABILITY');
  }
  if (!outputs.includes('topK')) return;
  for (const k of [undefined, 0, 1.5, maxCandidates + 1]) {
    await assertCode(() => extend({ kind: 'topK', k } as never), 'INVALID_ARGUMENT');
  }
}

/** What an extension says of each scored node. */
export function scoresOf(extension: Extension, count: number): number[][] {
  // Whatever the order of its fields, tokens come first.
  const { tokenIds, ...rest } = { tokenIds: undefined, ...extension };
  const arrays = [tokenIds, ...Object.values(rest)].filter(
    (value): value is Float32Array | Int32Array => value instanceof Float32Array || value instanceof Int32Array,
  );
  return Array.from({ length: count }, (_, node) =>
    arrays.flatMap((values) => {
      const size = values.length / count;
      assert.ok(
        Number.isInteger(size) && size > 0,
        `${values.length} values are a row for each of ${count} scored nodes`,
      );
      return [...values.subarray(node * size, (node + 1) * size)];
    }),
  );
}

/** Opens a forest, uses it, and disposes of it. */
export async function withForest<Result>(
  opening: Promise<Forest>,
  use: (forest: Forest) => Promise<Result>,
): Promise<Result> {
  const forest = await opening;
  try {
    return await use(forest);
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

/** Tokens of a row that can be read one after the other: what it must begin with, then any. */
export function pathOf(forest: Forest, row: number, tokenIds: readonly number[]): number[] {
  const { prefix, cached, node } = forest.start(row);
  assert.ok(prefix.length > cached, 'a row begins with at least one token that is to be read');
  assert.equal(node === ROOT, cached === 0, 'the root has no token');
  return [...prefix, ...tokenIds];
}

/** Reads tokens below a node; gives the node of the last of them, and what is said of it. */
export async function read(
  forest: Forest,
  row: number,
  parent: NodeId,
  tokenIds: readonly number[],
  output: OutputRequest,
): Promise<{ readonly node: NodeId; readonly scores: readonly number[] }> {
  const nodes = new NodeBatch();
  const last = nodes.addChain(row, parent, tokenIds, 'last');
  const extension = await forest.extend(nodes, output);
  assert.equal(extension.kind, output.kind, 'an extension is of the kind that was asked for');
  return { node: nodeIdOf(last, extension.firstNode), scores: scoresOf(extension, 1)[0] };
}

/** Asserts that two ways to compute scores agree, to the last bit where no difference is allowed. */
export function assertClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: as many scores`);
  for (const [index, value] of actual.entries()) {
    const other = expected[index];
    const same = Object.is(value, other) || Math.abs(value - other) <= tolerance;
    assert.ok(same, `${what}: score ${index} is ${value}, where ${other} was expected`);
  }
}

/** A small generator, so that a law tries the same every time. */
export function picker(seed: number): (below: number) => number {
  let state = (seed * 2654435761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
