import { beamSearch } from '@foretoken/beam';
import {
  type AutoregressiveModel,
  assertAutoregressive,
  assertLattice,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type Drafter,
  ForetokenError,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import type { StrategyOptions } from './strategy-options.js';

export const STRATEGIES = ['greedy', 'sampling', 'beam', 'ctc', 'speculative'] as const;
/** What `race` compares unless told otherwise. */
export const RACE_STRATEGIES: readonly StrategyName[] = ['greedy', 'ctc', 'speculative'];
export type StrategyName = (typeof STRATEGIES)[number];

export const DRAFTERS = ['lattice', 'ngram'] as const;
export type DrafterName = (typeof DRAFTERS)[number];

/** A decoding strategy bound to the model it was checked against. */
export interface Strategy {
  readonly name: StrategyName;
  decode(request: DecodeRequest<TokenSource>): AsyncIterable<DecodeEvent>;
}

/** Binds a strategy to a model. Throws `UNSUPPORTED_CAPABILITY` when the model cannot serve it. */
export function createStrategy(
  name: StrategyName,
  model: LoadedModel,
  drafter: DrafterName,
  options: StrategyOptions = { rules: {}, sampling: {}, beam: {} },
): Strategy {
  switch (name) {
    case 'greedy':
      return bindAutoregressive(name, greedy(options.rules), model);
    case 'sampling': {
      const several = (options.sampling.samples ?? 1) > 1;
      return bindAutoregressive(name, sampling({ ...options.rules, ...options.sampling, scores: several }), model);
    }
    case 'beam':
      return bindAutoregressive(name, beamSearch({ ...options.rules, ...options.beam }), model);
    case 'ctc':
      return bindLattice(name, ctcGreedy(), model);
    case 'speculative':
      return bindAutoregressive(name, speculative({ drafter: createDrafter(drafter, model) }), model);
  }
}

function createDrafter(name: DrafterName, model: LoadedModel): Drafter<TokenSource> {
  if (name === 'ngram') return ngramDrafter({ vocabulary: autoregressiveOf('speculative', model).vocabulary });
  const { draftLattice, ngrams, verifyCost } = model;
  if (draftLattice === undefined) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'speculative with the lattice drafter needs a CTC model, which this model folder does not have. Use --drafter ngram.',
      { decoder: 'speculative', capability: 'a lattice model', folder: model.folder },
    );
  }
  return latticeDrafter({
    model: draftLattice,
    // With measured costs the drafter itself knows where a draft stops paying.
    ...(verifyCost.length === 0 ? {} : { verifyCost, minProbability: 0.05 }),
    ...(ngrams === undefined ? {} : { ngrams }),
  });
}

function bindAutoregressive(
  name: StrategyName,
  decoder: Decoder<AutoregressiveModel<TokenSource>>,
  model: LoadedModel,
): Strategy {
  const target = autoregressiveOf(name, model);
  assertAutoregressive(decoder, target);
  return { name, decode: (request) => decoder.decode(target, request) };
}

function autoregressiveOf(name: StrategyName, model: LoadedModel): AutoregressiveModel<TokenSource> {
  if (model.autoregressive === undefined) throw missing(name, 'an autoregressive model', model);
  return model.autoregressive;
}

function bindLattice(name: StrategyName, decoder: Decoder<LatticeModel<TokenSource>>, model: LoadedModel): Strategy {
  const { lattice } = model;
  if (lattice === undefined) throw missing(name, 'a CTC model', model);
  assertLattice(decoder, lattice);
  return { name, decode: (request) => decoder.decode(lattice, request) };
}

function missing(decoder: StrategyName, capability: string, { folder }: LoadedModel): ForetokenError {
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${decoder} needs ${capability}, which this model folder does not have. foretoken inspect shows what it can do.`,
    { decoder, capability, folder },
  );
}

/** The strategies that `race` compares and a model can serve, in the usual order. */
export function servableStrategies(model: LoadedModel, drafter: DrafterName): StrategyName[] {
  return RACE_STRATEGIES.filter((name) => {
    try {
      createStrategy(name, model, drafter);
      return true;
    } catch (error) {
      if (ForetokenError.isInstance(error) && error.code === 'UNSUPPORTED_CAPABILITY') return false;
      throw error;
    }
  });
}
