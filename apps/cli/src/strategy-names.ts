import type { LoadedModel, PartModels } from '@foretoken/models';

/** What of a model folder a strategy decodes with. */
export type Part = 'autoregressive' | 'ctc' | 'canvas' | 'dag' | 'edit';

/** The strategies of each part of a model folder, in the order in which they are listed. */
export const STRATEGIES_OF = {
  autoregressive: ['greedy', 'sampling', 'beam', 'speculative'],
  ctc: ['ctc', 'ctc-prefix-beam'],
  canvas: ['nat', 'mask-predict', 'mask-ctc', 'easy-first', 'skeleton-first', 'masked-diffusion'],
  dag: ['dag-greedy', 'dag-lookahead', 'dag-viterbi', 'dag-joint-viterbi', 'dag-beam', 'dag-sampling'],
  edit: ['levenshtein', 'insertion'],
} as const satisfies Record<Part, readonly string[]>;

export type StrategyName = (typeof STRATEGIES_OF)[Part][number];

export const STRATEGIES: readonly StrategyName[] = Object.values(STRATEGIES_OF).flat();

/** What `race` compares unless told otherwise. */
export const RACE_STRATEGIES: readonly StrategyName[] = ['greedy', 'ctc', 'speculative'];

export const DRAFTERS = ['lattice', 'copy', 'ngram'] as const;
export type DrafterName = (typeof DRAFTERS)[number];

/** How messages and help call what a folder may have. */
const PART_NAMES: Readonly<Record<PartName, string>> = {
  autoregressive: 'an autoregressive model',
  ctc: 'a CTC model',
  canvas: 'a canvas model',
  dag: 'a DAG model',
  edit: 'an edit model',
  languageModel: 'an n-gram model',
};

/** What the parts are, and the language model that some strategies add. */
interface Models extends Pick<PartModels, 'autoregressive' | 'canvas' | 'edit' | 'languageModel'> {
  readonly ctc: PartModels['lattice'];
  readonly dag: PartModels['lattice'];
}

type Parts = Pick<LoadedModel, 'find'>;
export type PartName = keyof Models;
export type PartModel<Name extends PartName> = Models[Name];

/** What `--variant` may be. */
export const VARIANTS = ['exact', 'fast', 'draft'] as const;
export type VariantName = (typeof VARIANTS)[number];

type Find<Name extends PartName> = (model: Parts, variant: VariantName) => Models[Name] | undefined;

const FIND: { readonly [Name in PartName]: Find<Name> } = {
  autoregressive: (model, variant) => model.find('autoregressive', { variant }),
  ctc: (model, variant) => model.find('lattice', { lattice: 'ctc', variant }),
  canvas: (model, variant) => model.find('canvas', { variant }),
  dag: (model, variant) => model.find('lattice', { lattice: 'dag', variant }),
  edit: (model, variant) => model.find('edit', { variant }),
  languageModel: (model, variant) => model.find('languageModel', { variant }),
};

/** A part of a loaded folder; `undefined` where it has none. */
export function findPart<Name extends PartName>(
  model: Parts,
  name: Name,
  variant: VariantName = 'exact',
): PartModel<Name> | undefined {
  return FIND[name](model, variant);
}

/** How messages call a part. */
export function partLabel(name: PartName, variant: VariantName = 'exact'): string {
  return variant === 'exact' ? PART_NAMES[name] : `${PART_NAMES[name]} (${variant})`;
}

/** The part that a strategy decodes with. */
export function partOf(strategy: StrategyName): Part {
  const parts = Object.keys(STRATEGIES_OF) as Part[];
  const strategiesOf: Readonly<Record<Part, readonly StrategyName[]>> = STRATEGIES_OF;
  return parts.filter((part) => strategiesOf[part].includes(strategy))[0];
}

/** What a loaded folder has, for a message about what it lacks. */
export function partsIn(model: LoadedModel): string[] {
  const parts = Object.keys(PART_NAMES) as (keyof typeof PART_NAMES)[];
  return parts.flatMap((part) =>
    VARIANTS.filter((variant) => findPart(model, part, variant) !== undefined).map((variant) =>
      partLabel(part, variant),
    ),
  );
}
