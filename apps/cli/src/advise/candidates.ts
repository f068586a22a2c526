import { ForetokenError } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { createStrategy, type Strategy } from '../strategies.js';
import {
  DRAFTERS,
  type DrafterName,
  findPart,
  partOf,
  STRATEGIES,
  type StrategyName,
  VARIANTS,
  type VariantName,
} from '../strategy-names.js';

/** One way to decode with a model, its options left as they are. */
export interface Candidate {
  /** As people read it, such as `speculative, copy`. */
  readonly name: string;
  readonly strategy: StrategyName;
  readonly variant: VariantName;
  readonly drafter?: DrafterName | undefined;
}

/** They draw at random: what one draw is worth says nothing about the next. */
const RANDOM: readonly StrategyName[] = ['sampling', 'dag-sampling'];

/** Every way that the parts of a model allow: each is checked by binding it, and what is refused is left out. */
export function candidatesFor(model: LoadedModel): (Candidate & { readonly bound: Strategy })[] {
  return STRATEGIES.filter((strategy) => !RANDOM.includes(strategy)).flatMap((strategy) =>
    VARIANTS.filter((variant) => findPart(model, partOf(strategy), variant) !== undefined).flatMap((variant) =>
      (strategy === 'speculative' ? DRAFTERS : [undefined]).flatMap((drafter) => {
        const bound = bind(model, strategy, variant, drafter);
        if (bound === undefined) return [];
        const more = [drafter, variant === 'exact' ? undefined : variant].filter((part) => part !== undefined);
        return [{ name: [strategy, ...more].join(', '), strategy, variant, drafter, bound }];
      }),
    ),
  );
}

function bind(
  model: LoadedModel,
  strategy: StrategyName,
  variant: VariantName,
  drafter: DrafterName | undefined,
): Strategy | undefined {
  try {
    return createStrategy(strategy, model, { drafter, variant });
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** A strategy that a model cannot serve, or not without options that only a person can choose. */
export function isRefusal(error: unknown): error is ForetokenError {
  return (
    ForetokenError.isInstance(error) && (error.code === 'UNSUPPORTED_CAPABILITY' || error.code === 'INVALID_ARGUMENT')
  );
}
