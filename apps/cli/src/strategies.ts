import { beamSearch } from '@foretoken/beam';
import {
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type Drafter,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import { assertAutoregressive, assertCanvas, assertLattice } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import type { WeightedLanguageModel } from '@foretoken/language-models';
import type { LoadedModel } from '@foretoken/models';
import {
  ctcGreedy,
  ctcPrefixBeam,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
  nat,
} from '@foretoken/one-shot';
import {
  easyFirst,
  insertion,
  type LatticeSearch,
  levenshtein,
  maskCtc,
  maskedDiffusion,
  maskPredict,
  skeletonFirst,
  withHints,
} from '@foretoken/refine';
import { copyDrafter, latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { outputTokens } from './requests.js';
import {
  type DrafterName,
  findPart,
  type Part,
  type PartModel,
  type PartName,
  partLabel,
  partOf,
  partsIn,
  RACE_STRATEGIES,
  type StrategyName,
  type VariantName,
} from './strategy-names.js';
import type { StrategyOptions } from './strategy-options.js';

/** A decoding strategy bound to the model it was checked against. */
export interface Strategy {
  readonly name: StrategyName;
  decode(request: DecodeRequest<TokenSource>): AsyncIterable<DecodeEvent>;
}

type Model<Name extends PartName> = PartModel<Name>;

/** Most tokens of a draft that copies the source: a sentence. */
const COPIED_NODES = 32;
/** Natural-log bonus of a hot word: worth a token that the model finds a hundred times less probable. */
const HOT_WORD_BONUS = 5;

/**
 * Binds a strategy to a model; `options` are those that were read for it. Throws `INVALID_ARGUMENT`, and
 * `UNSUPPORTED_CAPABILITY` when the model cannot serve it.
 */
export function createStrategy(
  name: StrategyName,
  model: LoadedModel,
  /** A drafter of the folder by its name, or one that copies. */
  drafter: DrafterName | Drafter<TokenSource>,
  // The seed and the least length go with each request.
  { searchedHints = false, seed: _seed, minNewTokens: _minNewTokens, variant, ...options }: StrategyOptions = {},
): Strategy {
  // What only helps, such as the model that rescores, is always the exact one.
  const part = <Name extends Part>(wanted: Name): Model<Name> =>
    partFor(name, wanted, model, wanted === partOf(name) ? variant : undefined);
  const autoregressive = (decoder: Decoder<Model<'autoregressive'>>): Strategy => {
    const target = part('autoregressive');
    assertAutoregressive(decoder, target);
    return { name, decode: (request) => decoder.decode(target, request) };
  };
  const lattice = (decoder: Decoder<Model<'ctc'>>, kind: 'ctc' | 'dag'): Strategy => {
    const lattices = part(kind);
    assertLattice(decoder, lattices);
    return { name, decode: (request) => decoder.decode(lattices, request) };
  };
  const canvas = (decoder: Decoder<Model<'canvas'>>): Strategy => {
    const filled = searchedHints ? withHints(part('canvas'), searchedHintsOf(name, model)) : part('canvas');
    assertCanvas(decoder, filled);
    return { name, decode: (request) => decoder.decode(filled, request) };
  };
  const edited = (): Model<'edit'> =>
    searchedHints ? withHints(part('edit'), searchedHintsOf(name, model)) : part('edit');
  switch (name) {
    case 'greedy':
      return autoregressive(greedy(options));
    case 'sampling':
      return autoregressive(sampling({ ...options, scores: (options.hypotheses ?? 1) > 1 }));
    case 'beam':
      return autoregressive(beamSearch(options));
    case 'speculative':
      return autoregressive(
        speculative({
          drafter: typeof drafter === 'string' ? createDrafter(drafter, model) : drafter,
          maxNodes: drafter === 'lattice' || drafter === 'ngram' ? undefined : COPIED_NODES,
        }),
      );
    case 'ctc':
      return lattice(ctcGreedy(options), 'ctc');
    case 'ctc-prefix-beam':
      part('ctc');
      return lattice(prefixBeam(model, options), 'ctc');
    case 'nat': {
      const { rescoring, ...rest } = options;
      return canvas(nat(rescoring === true ? { ...rest, rescoring: { model: part('autoregressive') } } : rest));
    }
    case 'mask-predict':
      return canvas(maskPredict(options));
    case 'mask-ctc':
      return canvas(maskCtc({ ...options, initial: latticeSearch(name, model) }));
    case 'easy-first':
      return canvas(easyFirst(options));
    case 'skeleton-first':
      return canvas(skeletonFirst(options));
    case 'masked-diffusion':
      return canvas(maskedDiffusion(options));
    case 'levenshtein': {
      const edit = edited();
      const { initial: _path, fromCtc, ...rest } = options;
      const decoder = levenshtein(fromCtc === true ? { ...rest, initial: latticeSearch(name, model) } : rest);
      return { name, decode: (request) => decoder.decode(edit, request) };
    }
    case 'insertion': {
      const edit = edited();
      const decoder = insertion(options);
      return { name, decode: (request) => decoder.decode(edit, request) };
    }
    default:
      part('dag');
      return lattice(dagDecoder(name, model, { ...options, variant }), 'dag');
  }
}

function prefixBeam(model: LoadedModel, options: StrategyOptions): Decoder<Model<'ctc'>> {
  const { languageModelWeight, hotWord = [], hotWordBonus = HOT_WORD_BONUS, rescoring, ...rest } = options;
  const languageModel = languageModelFor('ctc-prefix-beam', model, languageModelWeight);
  return ctcPrefixBeam({
    ...rest,
    languageModel,
    rescoring: rescoring ? { model: partFor('ctc-prefix-beam', 'autoregressive', model) } : undefined,
    hotWords: hotWord.map((text) => ({ tokenIds: outputTokens(model.tokenizer, text), bonus: hotWordBonus })),
  });
}

/** The folder's CTC model, searched with its n-grams where it has them. */
function latticeSearch(name: StrategyName, model: LoadedModel): LatticeSearch<TokenSource> {
  const lattice = partFor(name, 'ctc', model);
  if (findPart(model, 'languageModel') !== undefined) return searchedHintsOf(name, model);
  return { lattice, search: ctcGreedy({ alignments: true }) };
}

/** The folder's CTC model, searched as the hints were that shipped students learned to read. */
function searchedHintsOf(name: StrategyName, model: LoadedModel): LatticeSearch<TokenSource> {
  const lattice = partFor(name, 'ctc', model);
  const languageModel = { model: partFor(`${name} with searched hints`, 'languageModel', model), weight: 0.2 };
  const search = ctcPrefixBeam({ languageModel, lengthBonus: 1.2, alignments: true });
  return { lattice, search };
}

type DagStrategyName = Extract<StrategyName, `dag-${string}`>;

function dagDecoder(name: DagStrategyName, model: LoadedModel, given: StrategyOptions): Decoder<Model<'dag'>> {
  const { languageModelWeight, variant, ...rest } = given;
  const startTokenId = findPart(model, 'dag', variant)?.startTokenId;
  const options = { ...rest, startTokenId };
  switch (name) {
    case 'dag-greedy':
      return dagGreedy(options);
    case 'dag-lookahead':
      return dagLookahead(options);
    case 'dag-viterbi':
      return dagViterbi(options);
    case 'dag-joint-viterbi':
      return dagJointViterbi(options);
    case 'dag-sampling':
      return dagSampling(options);
    case 'dag-beam': {
      const languageModel = languageModelFor(name, model, languageModelWeight);
      return dagBeam({ ...options, languageModel });
    }
  }
}

/** The folder's n-grams, unless a weight of 0 leaves them out; an explicit weight requires them. */
function languageModelFor(
  name: StrategyName,
  model: LoadedModel,
  weight: number | undefined,
): WeightedLanguageModel | undefined {
  if (weight === 0) return undefined;
  const own = findPart(model, 'languageModel');
  if (weight === undefined) return own && { model: own };
  return { model: partFor(`${name} with --language-model-weight`, 'languageModel', model), weight };
}

/** A drafter of the folder. Throws `UNSUPPORTED_CAPABILITY`. */
export function createDrafter(name: DrafterName, model: LoadedModel): Drafter<TokenSource> {
  if (name !== 'lattice') {
    const { vocabulary } = partFor('speculative', 'autoregressive', model);
    return name === 'ngram'
      ? ngramDrafter({ vocabulary })
      : copyDrafter({ vocabulary, tokenText: model.tokenizer.tokenText });
  }
  partFor('speculative', 'autoregressive', model);
  const drafting = model.find('lattice', { lattice: 'ctc', variant: 'draft' }) ?? findPart(model, 'ctc');
  if (drafting === undefined) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'speculative with the lattice drafter needs a CTC model, which this model folder does not have. Use --drafter copy or ngram.',
      { decoder: 'speculative', capability: 'a lattice model', folder: model.folder },
    );
  }
  return latticeDrafter(model.speculation());
}

/** Throws `UNSUPPORTED_CAPABILITY` where the folder lacks the part. */
function partFor<Name extends PartName>(
  decoder: string,
  part: Name,
  model: LoadedModel,
  variant?: VariantName,
): Model<Name> {
  const found = findPart(model, part, variant);
  if (found !== undefined) return found;
  const capability = partLabel(part, variant);
  const has = partsIn(model);
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${decoder} needs ${capability}, which this model folder does not have. It has ${has.join(', ') || 'nothing'}; foretoken inspect shows what it can do.`,
    { decoder, capability, folder: model.folder, has },
  );
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
      createStrategy(name, model, drafter, { variant });
      return true;
    } catch (error) {
      if (ForetokenError.isInstance(error) && error.code === 'UNSUPPORTED_CAPABILITY') return false;
      throw error;
    }
  });
}
