import { type AutoregressiveModel, collect, type Decoder, type Drafter, type TokenSource } from '@foretoken/core';
import { callback, checkOptions, immediate, integer, type OptionTable } from '@foretoken/core/kit';
import { adversarialDrafter, DRAFT_KINDS, type DraftKind } from './adversarial-drafters.js';
import { randomLogits } from './random-logits.js';
import { referenceGreedy } from './reference-greedy.js';
import { scriptedModel } from './scripted-model.js';

/** Makes the speculative decoder under test of a drafter. */
export type MakeSpeculative = (drafter: Drafter<TokenSource>) => Decoder<AutoregressiveModel<TokenSource>>;

/** A case in which speculative and greedy decoding differ. */
export interface Counterexample {
  readonly seed: number;
  readonly kind: DraftKind;
  readonly row: number;
  /** What greedy decoding gives. */
  readonly expected: readonly number[];
  /** What came out, or the error that was thrown. */
  readonly received: readonly number[] | string;
}

/** How much the oracle tries. */
export interface SpeculativeOracleOptions {
  /** Random models to try with every kind of draft; default 300. */
  readonly models?: number | undefined;
  /** Changes the target before it is used, to plant a fault. */
  readonly wrap?: ((model: AutoregressiveModel<TokenSource>) => AutoregressiveModel<TokenSource>) | undefined;
}

const END = 0;

const asItIs: NonNullable<SpeculativeOracleOptions['wrap']> = (model) => model;

const OPTIONS: OptionTable<SpeculativeOracleOptions> = {
  models: integer(1, 1_000_000),
  wrap: callback<NonNullable<SpeculativeOracleOptions['wrap']>>(immediate),
};

/**
 * Decodes random ragged batches speculatively, with every kind of adversarial draft, and compares each row with greedy
 * decoding straight on the score function. Returns the first difference, or undefined if there is none.
 */
export async function speculativeCounterexample(
  make: MakeSpeculative,
  options: SpeculativeOracleOptions = {},
): Promise<Counterexample | undefined> {
  const { models = 300, wrap = asItIs } = checkOptions('speculativeCounterexample', options, OPTIONS);
  const makeDecoder = callback<MakeSpeculative>(immediate)('make', make);
  for (let seed = 1; seed <= models; seed++) {
    const vocabularySize = 3 + (seed % 7);
    const score = randomLogits({ seed, vocabularySize, endTokenId: END, typicalLength: 1 + (seed % 9) });
    const model = scriptedModel({ vocabularySize, endTokenId: END, score, maxLength: 4 + (seed % 17) });
    const sources = Array.from({ length: 1 + (seed % 4) }, (_, row) => Int32Array.of(seed % 50, row));
    const stopSequences = seed % 3 === 0 ? [Int32Array.of(1, 2)] : [];
    const maxNewTokens = seed % 5 === 0 ? 1 + (seed % 6) : undefined;
    const limit = Math.min(model.maxLength, maxNewTokens ?? Number.POSITIVE_INFINITY);
    const expected = sources.map((source) => referenceGreedy(source, { score, endTokenId: END, limit, stopSequences }));
    const request = { sources, stopSequences, maxNewTokens };
    for (const kind of DRAFT_KINDS) {
      const drafter = adversarialDrafter({ kind, score, vocabularySize, endTokenId: END, seed });
      const outputs = await outputsOf(() => collect(makeDecoder(drafter).decode(wrap(model), request)));
      for (const [row, { tokenIds, finishReason }] of expected.entries()) {
        const received = typeof outputs === 'string' ? outputs : outputs[row];
        const same =
          typeof received === 'object' &&
          received.finishReason === finishReason &&
          received.tokenIds.join() === tokenIds.join();
        if (!same) {
          const shown = typeof received === 'object' ? received.tokenIds : (received ?? 'nothing');
          return { seed, kind, row, expected: tokenIds, received: shown };
        }
      }
    }
  }
  return undefined;
}

async function outputsOf(run: () => ReturnType<typeof collect>) {
  try {
    const { results } = await run();
    return results.map(({ hypotheses: [best] }) => ({
      tokenIds: [...(best?.tokenIds ?? [])],
      finishReason: best?.finishReason,
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
