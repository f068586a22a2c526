import type { OutputRequest } from '../contract/token-tree.js';
import { MAX_FORWARD_CELLS, maxScoredCells } from '../kit/forward-cells.js';
import { Yielder } from '../kit/yielder.js';
import { cutForward, type ForwardPart } from './forward-parts.js';
import { GatheredScores } from './gathered-scores.js';
import type { ExtensionValues, ForwardNodes, NodeStore } from './node-store.js';

/** A store, and what bounds its forwards. */
export interface ForwardOptions {
  readonly store: NodeStore;
  readonly vocabularySize: number;
  readonly maxCells?: number | undefined;
}

/** Computes new nodes in as many forwards as it takes; other work has a turn between them, after which `assertUsable` may throw. */
export function runForward(
  nodes: ForwardNodes,
  output: OutputRequest,
  options: ForwardOptions,
  signal: AbortSignal | undefined,
  assertUsable: () => void,
): Promise<ExtensionValues> {
  const { store, vocabularySize, maxCells = MAX_FORWARD_CELLS } = options;
  const parts = cutForward(nodes, { cells: maxCells, scores: maxScoredCells(vocabularySize) });
  return parts === undefined
    ? store.extend(nodes, output)
    : runParts(nodes, parts, output, store, signal, assertUsable);
}

async function runParts(
  nodes: ForwardNodes,
  parts: readonly ForwardPart[],
  output: OutputRequest,
  store: NodeStore,
  signal: AbortSignal | undefined,
  assertUsable: () => void,
): Promise<ExtensionValues> {
  const gathered = new GatheredScores(nodes.scored.length, output);
  const stored = nodes.stored.slice();
  const yielder = new Yielder(signal);
  for (const part of parts) {
    gathered.put(await store.extend({ ...part, stored }, output), part.places);
    for (const row of part.gridRow) stored[row]++;
    assertUsable();
    if (yielder.due()) await yielder.yield();
    assertUsable();
  }
  return gathered.values;
}
