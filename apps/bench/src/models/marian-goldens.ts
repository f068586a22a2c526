import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AutoregressiveModel, TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { inRepository } from './imported-model.js';

const GOLDENS = 'packages/models/test/goldens';

/** What Marian says of a text. */
export interface MarianGolden {
  readonly source: readonly number[];
  readonly said: string;
  /** Of each token, the end token among them. */
  readonly logProbs: readonly number[];
}

/** Folder of a kind of model in one of the folders of goldens. */
export const marianFolder = (goldens: string, kind: string): string => inRepository(GOLDENS, goldens, kind);

export async function marianGoldens<Golden extends MarianGolden>(folder: string): Promise<readonly Golden[]> {
  const content = await readFile(join(folder, 'expected.json'), 'utf8');
  return (JSON.parse(content) as { readonly rows: readonly Golden[] }).rows;
}

/** Largest difference of the log-probabilities of an output's tokens from what Marian gives. */
export async function worstDifference(
  target: AutoregressiveModel<TokenSource>,
  { source, logProbs }: MarianGolden,
  tokenIds: Int32Array,
): Promise<number> {
  const { size, endTokenId = 0 } = target.vocabulary;
  await using forest = await target.open([Int32Array.from(source)]);
  const nodes = new NodeBatch();
  const ended = [...tokenIds, endTokenId].slice(0, logProbs.length);
  nodes.addChain(0, ROOT, Int32Array.from([...forest.start(0).prefix, ...ended.slice(0, -1)]), 'all');
  const scores = (await forest.extend(nodes, { kind: 'logProbs' })).logProbs;
  const differences = logProbs.map((expected, at) => Math.abs(scores[at * size + ended[at]] - expected));
  return Math.max(...differences);
}
