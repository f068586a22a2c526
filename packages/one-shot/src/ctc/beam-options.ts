import { ForetokenError, type Vocabulary } from '@foretoken/core';
import { assertInteger, checkOptions, flag, integer, number, type OptionTable } from '@foretoken/core/kit';
import {
  assertSameVocabulary,
  type HotWord,
  hotWordModel,
  languageModelOption,
  hotWords as readHotWords,
  type WeightedLanguageModel,
} from '@foretoken/language-models';
import { type CtcRescoring, rescoring as readRescoring } from './ctc-rescoring.js';
import type { WeightedModel } from './prefix-bonus.js';
import type { PrefixSearchOptions } from './prefix-search.js';

/** Options of `ctcPrefixBeam`. */
export interface CtcPrefixBeamOptions<Source> {
  /** Prefixes kept after each frame (default 16). */
  readonly beamSize?: number | undefined;
  /** Most probable labels of each frame that are searched, the blank not counted where it is not among them (default 5). */
  readonly candidates?: number | undefined;
  /** Hypotheses to return, at most the beam size (default 1). */
  readonly hypotheses?: number | undefined;
  /** Labels of a frame below this natural-log probability are not searched, but for the best one (default: all are). */
  readonly minTokenLogProb?: number | undefined;
  /** Prefixes whose score is further below the best one's are dropped (default: none are). */
  readonly beamThreshold?: number | undefined;
  /** Natural-log bonus of each token (default 0), against the liking for short outputs of sums and language models. */
  readonly lengthBonus?: number | undefined;
  /** A model of outputs; its scores count by `weight` (default 0.3), where the lattice's log-probability has weight 1. */
  readonly languageModel?: WeightedLanguageModel | undefined;
  /** Phrases that outputs should rather hold. */
  readonly hotWords?: readonly HotWord[] | undefined;
  /** No n-gram of this length comes twice in an output (default: any may). */
  readonly noRepeatNgramSize?: number | undefined;
  /** An autoregressive model that ranks anew all that is in the beam at the end, in one forward. */
  readonly rescoring?: CtcRescoring<Source> | undefined;
  /** Report the frames of each token (default false). */
  readonly alignments?: boolean | undefined;
  /** Report each row's lattice (default false). */
  readonly lattices?: boolean | undefined;
}

const OPTIONS: OptionTable<CtcPrefixBeamOptions<never>> = {
  beamSize: integer(1, 4096),
  candidates: integer(1),
  hypotheses: integer(1),
  minTokenLogProb: number(Number.NEGATIVE_INFINITY, 0),
  beamThreshold: number(0, Number.POSITIVE_INFINITY),
  lengthBonus: number(-1e6, 1e6),
  languageModel: languageModelOption,
  hotWords: readHotWords,
  noRepeatNgramSize: integer(1),
  rescoring: readRescoring,
  alignments: flag,
  lattices: flag,
};

/** Checked options with their defaults. */
export interface PrefixBeamSettings<Source>
  extends Pick<CtcPrefixBeamOptions<Source>, 'languageModel' | 'noRepeatNgramSize' | 'rescoring'> {
  readonly beamSize: number;
  readonly candidates: number;
  readonly hypotheses: number;
  readonly minTokenLogProb: number;
  readonly beamThreshold: number;
  readonly lengthBonus: number;
  readonly hotWords: readonly HotWord[];
  readonly alignments: boolean;
  readonly lattices: boolean;
}

/** Throws `INVALID_ARGUMENT`. */
export function prefixBeamSettings<Source>(given: CtcPrefixBeamOptions<Source>): PrefixBeamSettings<Source> {
  const options = checkOptions<CtcPrefixBeamOptions<Source>>('ctcPrefixBeam', given, OPTIONS);
  const { beamSize = 16, candidates = 5, hypotheses = 1, lengthBonus = 0, hotWords = [], alignments = false } = options;
  const { lattices = false } = options;
  const { minTokenLogProb = Number.NEGATIVE_INFINITY, beamThreshold = Number.POSITIVE_INFINITY } = options;
  const { languageModel, noRepeatNgramSize, rescoring } = options;
  assertInteger('hypotheses', hypotheses, 1, beamSize);
  return {
    beamSize,
    candidates,
    hypotheses,
    minTokenLogProb,
    beamThreshold,
    lengthBonus,
    hotWords,
    alignments,
    lattices,
    languageModel,
    noRepeatNgramSize,
    rescoring,
  };
}

/** The search over lattices of one vocabulary. Throws `INVALID_ARGUMENT` where an option does not fit it. */
export function searchOptions<Source>(
  settings: PrefixBeamSettings<Source>,
  vocabulary: Vocabulary,
): PrefixSearchOptions {
  const { beamSize, minTokenLogProb, beamThreshold, lengthBonus, noRepeatNgramSize, hotWords } = settings;
  const models: WeightedModel[] = [];
  if (settings.languageModel !== undefined) {
    const { model, weight = 0.3 } = settings.languageModel;
    assertSameVocabulary('languageModel.model', model, vocabulary.size);
    models.push({ model, weight });
  }
  for (const [index, { tokenIds }] of hotWords.entries()) {
    for (let position = 0; position < tokenIds.length; position++) {
      const tokenId = tokenIds[position];
      assertInteger(`hotWords[${index}].tokenIds[${position}]`, tokenId, 0, vocabulary.size - 1);
      if (tokenId === vocabulary.endTokenId) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `hotWords[${index}] holds the end token, ${tokenId}, which no output holds.`,
          { option: 'hotWords', index, received: tokenId },
        );
      }
    }
  }
  if (hotWords.length > 0) models.push({ model: hotWordModel(hotWords), weight: 1 });
  return {
    beamSize,
    beamThreshold,
    minLogProb: minTokenLogProb,
    lengthBonus,
    models,
    noRepeatNgramSize,
  };
}
