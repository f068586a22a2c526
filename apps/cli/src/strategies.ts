import { type DecodeEvent, type DecodeRequest, type Drafter, ForetokenError, type TokenSource } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { DEFINITIONS, inFlags } from './strategies/all-strategies.js';
import {
  type DrafterName,
  findPart,
  partOf,
  RACE_STRATEGIES,
  type StrategyName,
  type VariantName,
} from './strategy-names.js';

/** A decoding strategy bound to the model it was checked against. */
export interface Strategy {
  readonly name: StrategyName;
  decode(request: DecodeRequest<TokenSource>): AsyncIterable<DecodeEvent>;
}

/** How a strategy is bound, besides the model. */
export interface StrategyChoice {
  /** Which model of its kind decodes. */
  readonly variant?: VariantName | undefined;
  /** A drafter of the folder by its name, or one that copies, where the options name none. */
  readonly drafter?: DrafterName | Drafter<TokenSource> | undefined;
  /** What was read of the options of its decoder. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Binds a strategy to a model. Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` when the model cannot serve it.
 */
export function createStrategy(
  name: StrategyName,
  model: LoadedModel,
  { options = {}, variant, drafter }: StrategyChoice = {},
): Strategy {
  try {
    return { name, decode: DEFINITIONS[name].bind({ name, model, variant, drafter }, options) };
  } catch (error) {
    throw inFlags(error, name);
  }
}

/** The variant that `race` takes for a strategy: greedy is what the others are compared with, so it stays exact. */
export function racedVariant(name: StrategyName, variant: VariantName | undefined): VariantName | undefined {
  return name === 'greedy' ? undefined : variant;
}

/** The strategies that `race` compares and a model can serve, in the usual order. */
export function servableStrategies(
  model: LoadedModel,
  drafter: DrafterName,
  wanted?: VariantName | undefined,
): StrategyName[] {
  return RACE_STRATEGIES.filter((name) => {
    const variant = racedVariant(name, wanted);
    if (findPart(model, partOf(name), variant) === undefined) return false;
    try {
      createStrategy(name, model, { drafter, variant });
      return true;
    } catch (error) {
      if (ForetokenError.isInstance(error) && error.code === 'UNSUPPORTED_CAPABILITY') return false;
      throw error;
    }
  });
}
