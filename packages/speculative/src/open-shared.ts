import {
  type AutoregressiveModel,
  type DecodeRequest,
  type Drafter,
  ForetokenError,
  type SourceEncoding,
  type TokenForest,
} from '@foretoken/core';
import { opened, show } from '@foretoken/core/kit';
import { GuardedDrafts } from './guarded-drafts.js';

/** A target and a drafter opened for the same sources; disposing of it releases both, and the encoding they share. */
export interface OpenedPair extends AsyncDisposable {
  readonly forest: TokenForest;
  /** Absent where drafting cannot pay. */
  readonly drafts: GuardedDrafts | undefined;
  /** Tries to release all; throws the first failure. A second call does nothing. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Throws `UNSUPPORTED_CAPABILITY` where the drafter's token ids cannot mean the same as the target's. */
export function assertSameVocabulary<Source>(model: AutoregressiveModel<Source>, drafter: Drafter<Source>): void {
  const { vocabulary, name } = drafter;
  if (vocabulary === undefined) return;
  for (const field of ['size', 'endTokenId'] as const) {
    if (vocabulary[field] === model.vocabulary[field]) continue;
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `The drafter ${name} has vocabulary ${field} ${show(vocabulary[field])}, the target ${show(model.vocabulary[field])}; ` +
        'drafts need the same token ids. Use a drafter of the same tokenizer.',
      { drafter: name, field, received: vocabulary[field], required: model.vocabulary[field] },
    );
  }
}

/**
 * Opens the target, and the drafter unless `drafting` says that it is not worth it; the sources are encoded once where both
 * name the same encoder.
 */
export async function openShared<Source>(
  model: AutoregressiveModel<Source>,
  drafter: Drafter<Source>,
  { sources, seed, signal }: DecodeRequest<Source>,
  drafting: boolean,
): Promise<OpenedPair> {
  let encoding: SourceEncoding | undefined;
  let forest: TokenForest | undefined;
  try {
    if (drafting && model.encoder !== undefined && model.encoder === drafter.encoder) {
      encoding = await model.encoder.encode(sources, signal);
    }
    const options = {
      encoding,
      signal,
    };
    forest = opened('autoregressive', await model.open(sources, options));
    const drafts = drafting ? await GuardedDrafts.open(drafter, sources, { ...options, seed: seed ?? 0 }) : undefined;
    return new Pair(forest, drafts, encoding);
  } catch (error) {
    try {
      await forest?.[Symbol.asyncDispose]();
    } catch {
      // What went wrong first is what the caller should hear of.
    }
    encoding?.dispose();
    throw error;
  }
}

class Pair implements OpenedPair {
  readonly forest: TokenForest;
  readonly drafts: GuardedDrafts | undefined;
  readonly #encoding: SourceEncoding | undefined;
  #released = false;

  constructor(forest: TokenForest, drafts: GuardedDrafts | undefined, encoding: SourceEncoding | undefined) {
    this.forest = forest;
    this.drafts = drafts;
    this.#encoding = encoding;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    // The target's memory is the larger, and does not wait for a drafter.
    const released = await Promise.allSettled([this.drafts?.[Symbol.asyncDispose](), this.#releaseTarget()]);
    for (const result of released) if (result.status === 'rejected') throw result.reason;
  }

  async #releaseTarget(): Promise<void> {
    try {
      await this.forest[Symbol.asyncDispose]();
    } finally {
      this.#encoding?.dispose();
    }
  }
}
