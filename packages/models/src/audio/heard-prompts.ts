import type { TokenForest } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import type { ManifestSpeech } from '../folder/speech-schema.js';

/** What finds a language: a model that reads sources, and the languages that it knows. */
export interface Hearing {
  readonly vocabularySize: number;
  readonly languages: ManifestSpeech['languages'];
  /** Opens these rows of the sources, each of which begins with its start token alone, where no output begins. */
  readonly open: (rows: readonly number[], prefixes: readonly Int32Array[]) => TokenForest<never>;
}

/** Prompts without gaps: where one leaves the language open, that which is most probable after its start token is taken. */
export async function heardPrompts(
  prompts: readonly (readonly (number | undefined)[])[],
  hearing: Hearing,
  signal: AbortSignal | undefined,
): Promise<readonly Int32Array[]> {
  const open = prompts.flatMap((prompt, row) => (prompt.includes(undefined) ? [row] : []));
  const found = await languagesOf(open, prompts, hearing, signal);
  const languages = new Map(open.map((row, index) => [row, found[index]]));
  return prompts.map((prompt, row) => Int32Array.from(prompt, (id) => id ?? languages.get(row) ?? 0));
}

async function languagesOf(
  rows: readonly number[],
  prompts: readonly (readonly (number | undefined)[])[],
  { vocabularySize: size, languages = {}, open }: Hearing,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  if (rows.length === 0) return [];
  const starts = rows.map((row) => Int32Array.of(prompts[row][0] ?? 0));
  const candidates = Object.values(languages);
  await using forest = open(rows, starts);
  const nodes = new NodeBatch();
  for (const [index, start] of starts.entries()) nodes.addChain(index, ROOT, start, 'last');
  const { logits } = await forest.extend(nodes, { kind: 'logits' }, signal);
  return rows.map((_, index) => {
    const scores = logits.subarray(index * size, (index + 1) * size);
    return candidates.reduce((best, tokenId) => (scores[tokenId] > scores[best] ? tokenId : best));
  });
}
