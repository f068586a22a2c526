import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { temporaryFolder } from './folder-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/causal/', import.meta.url));

/** Kinds of decoder-only models in `goldens/causal`, random weights that apps/distill/make_causal_goldens.py wrote. */
export const CAUSAL_KINDS = [
  'llama',
  'llama-tied',
  'llama-linear',
  'llama-gelu',
  'mistral',
  'qwen2',
  'qwen3',
  'gpt2',
  'gpt2-gelu',
  'gpt2-layer-scales',
  'gpt2-no-scale',
] as const;

/** What transformers computes after one prompt. */
export interface CausalGolden {
  readonly prompt: readonly number[];
  /** After each token of the prompt. */
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
  /** The four best of a beam of four, and their scores. */
  readonly beam: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

/** The weights folder of a kind. */
export const causalWeights = (kind: string): string => join(GOLDENS, kind);

export async function causalGoldens(kind: string): Promise<readonly CausalGolden[]> {
  const content = JSON.parse(await readFile(join(GOLDENS, kind, 'expected.json'), 'utf8')) as {
    readonly rows: readonly CausalGolden[];
  };
  return content.rows;
}

/** A kind imported as a model folder. */
export async function causalFolder(kind: string, options: ImportOptions = {}): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await importModel(causalWeights(kind), folder, { weights: 'float32', ...options });
  return folder;
}

/** The small Llama with room for prompts of 4,096 tokens. */
export async function longCausalFolder(): Promise<string> {
  const weights = join(await temporaryFolder(), 'weights');
  await cp(causalWeights('llama'), weights, { recursive: true });
  const path = join(weights, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...config, max_position_embeddings: 4096 }));
  const folder = join(await temporaryFolder(), 'long');
  await importModel(weights, folder, { weights: 'float32' });
  return folder;
}
