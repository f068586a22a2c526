import { type DecodeEvent, type DecodeRequest, type Drafter, ForetokenError, type TokenSource } from '@foretoken/core';
import type { WeightedLanguageModel } from '@foretoken/language-models';
import type { LoadedModel } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import type { LatticeSearch } from '@foretoken/refine';
import {
  type DrafterName,
  findPart,
  type PartModel,
  type PartName,
  partLabel,
  partOf,
  partsIn,
  type StrategyName,
  type VariantName,
} from '../strategy-names.js';
import type { REQUEST_OPTIONS } from './shared-options.js';
import type { Given, StrategyOptions } from './strategy-option.js';

/** What a strategy is bound to. */
export interface Binding {
  readonly name: StrategyName;
  readonly model: LoadedModel;
  /** Which model of its kind decodes. */
  readonly variant?: VariantName | undefined;
  /** What drafts, where its options do not say so: a drafter of the folder by its name, or one that copies. */
  readonly drafter?: DrafterName | Drafter<TokenSource> | undefined;
}

export type Decode = (request: DecodeRequest<TokenSource>) => AsyncIterable<DecodeEvent>;

export type RequestOption = keyof typeof REQUEST_OPTIONS;

/** A strategy of the command line. */
export interface StrategyDefinition<Table extends StrategyOptions = StrategyOptions> {
  /** What goes into its decoder. */
  readonly options: Table;
  /** What goes with its requests. */
  readonly request?: readonly RequestOption[] | undefined;
  /** Looks at options that need each other, before a model is loaded. Throws `INVALID_ARGUMENT`. */
  check?(given: Given<Table>): void;
  /** Makes its decoder and checks it against the model. Throws `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY`. */
  bind(binding: Binding, given: Given<Table>): Decode;
}

/** A definition whose `bind` is given what its own options are. */
export function define<const Table extends StrategyOptions>(
  definition: StrategyDefinition<Table>,
): StrategyDefinition<Table> {
  return definition;
}

/** A part of the folder: what decodes in the variant that was asked for, what only helps always the exact one. */
export function partFor<Name extends PartName>({ name, model, variant }: Binding, wanted: Name): PartModel<Name> {
  return requirePart(name, wanted, model, wanted === partOf(name) ? variant : undefined);
}

/** Throws `UNSUPPORTED_CAPABILITY` where the folder lacks the part. */
export function requirePart<Name extends PartName>(
  decoder: string,
  part: Name,
  model: LoadedModel,
  variant?: VariantName,
): PartModel<Name> {
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

/** The folder's n-grams, unless a weight of 0 leaves them out; an explicit weight requires them. */
export function languageModelFor(
  { name, model }: Binding,
  weight: number | undefined,
): WeightedLanguageModel | undefined {
  if (weight === 0) return undefined;
  const own = findPart(model, 'languageModel');
  if (weight === undefined) return own && { model: own };
  return { model: requirePart(`${name} with --language-model-weight`, 'languageModel', model), weight };
}

/** The folder's CTC model, searched with its n-grams where it has them. */
export function latticeSearch(binding: Binding): LatticeSearch<TokenSource> {
  const lattice = requirePart(binding.name, 'ctc', binding.model);
  if (findPart(binding.model, 'languageModel') !== undefined) return searchedHints(binding);
  return { lattice, search: ctcGreedy({ alignments: true }) };
}

/** The folder's CTC model, searched as the hints were that shipped students learned to read. */
export function searchedHints({ name, model }: Binding): LatticeSearch<TokenSource> {
  const lattice = requirePart(name, 'ctc', model);
  const languageModel = { model: requirePart(`${name} with searched hints`, 'languageModel', model), weight: 0.2 };
  const search = ctcPrefixBeam({ languageModel, lengthBonus: 1.2, alignments: true });
  return { lattice, search };
}
