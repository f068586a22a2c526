import {
  type AutoregressiveModel,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type Requirements,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertAutoregressive,
  assertInteger,
  assertNumber,
  assertRuledDecode,
  checkOptions,
  commonLimit,
  compileRules,
  flag,
  hasRules,
  integer,
  largest,
  lengthOf,
  listOf,
  mayRaise,
  number,
  type OptionReader,
  type OptionTable,
  oneOf,
  SCORE_RULES,
  type ScoreRules,
  tokens,
} from '@foretoken/core/kit';
import { BeamRow, type BeamSettings } from './beam-row.js';
import type { SearchStart } from './branch.js';
import { ConstrainedRow } from './constrained-row.js';
import { DiverseRow } from './diverse-row.js';
import type { StopWhen } from './finished-list.js';
import { LENGTH_PENALTY_OPTIONS, type LengthPenaltyOptions, lengthNormaliser } from './length-penalty.js';
import { type Phrase, PhraseSet, shortest } from './phrase-progress.js';
import { ACCEPTS, type Search, searchRows } from './search-loop.js';

/** Options of `beamSearch`: width, hypotheses, stop, length penalty, diversity, and rules on scores. */
export interface BeamSearchOptions extends LengthPenaltyOptions, ScoreRules {
  /** Hypotheses kept at each step, as far as there are so many (default 4); a beam may be wider than the vocabulary. */
  readonly beamSize?: number | undefined;
  /** Hypotheses to return, at most the beam size (default 1). */
  readonly hypotheses?: number | undefined;
  /**
   * When a row's search stops. `improvement-unlikely` (default; Hugging Face's `early_stopping=False`): the beam is full and
   * the best running hypothesis, scored at its length so far, does not beat the worst finished one. `full`
   * (`early_stopping=True`): the beam is full. `improvement-impossible` (`"never"`): even at the best length it may still
   * reach the best running hypothesis would not beat it; where rules may raise a log-probability above 0 (biases above 0,
   * penalties below 0, rules of your own) there is no such bound, and the search goes on to the length limit.
   */
  readonly stopWhen?: StopWhen | undefined;
  /** The beam is full with `beamSize * patience` finished hypotheses (default 1; Kasai et al., 2022, section 2.2). */
  readonly patience?: number | undefined;
  /**
   * Token sequences that the output must contain, each as one run; an entry with several sequences needs one of them
   * (lexically constrained decoding, by dynamic beam allocation: Post and Vilar, 2018). Runs may overlap, but each entry
   * needs one of its own: a sequence given twice must occur twice. Not together with `groups`.
   */
  readonly phrases?: readonly (Int32Array | readonly Int32Array[])[] | undefined;
  /** Split the beam into this many groups that avoid one another's tokens (default 1; diverse beam search). */
  readonly groups?: number | undefined;
  /** What each branch of an earlier group with the same token costs, in natural log (default 0.5); needs `groups`. */
  readonly diversityPenalty?: number | undefined;
  /** Report the natural-log probability of each token under the model alone, as `tokenLogProbs` (default false). */
  readonly tokenLogProbs?: boolean | undefined;
  /** Report with each `canvas-revise` all hypotheses that are kept, as `branches` (default false). */
  readonly branches?: boolean | undefined;
}

const NAME = 'beam-search';

const phrase: OptionReader<readonly Int32Array[]> = (name, value) =>
  lengthOf(value) === undefined ? [tokens(1)(name, value)] : listOf(tokens(1), 1)(name, value);

const OPTIONS: OptionTable<BeamSearchOptions> = {
  ...LENGTH_PENALTY_OPTIONS,
  ...SCORE_RULES,
  beamSize: integer(1, 4096),
  hypotheses: integer(1),
  stopWhen: oneOf('improvement-unlikely', 'full', 'improvement-impossible'),
  patience: number(0, 1024),
  phrases: listOf(phrase),
  groups: integer(1),
  diversityPenalty: number(0, Number.MAX_VALUE),
  tokenLogProbs: flag,
  branches: flag,
};

/**
 * Beam search: the `beamSize` most probable hypotheses are grown together, and the best finished one is the output.
 *
 * `score` is the log-probability divided by the length penalty, `logProb` the plain sum of natural-log probabilities, end
 * token included. Rules act on log-probabilities. Branches are leaves of one token tree a row: nothing is copied when they
 * change places. Throws `INVALID_ARGUMENT`, also for options that contradict one another; decoding throws
 * `UNSATISFIABLE_CONSTRAINT` where the rules leave no hypothesis.
 */
export function beamSearch<Source = TokenSource>(
  options: BeamSearchOptions = {},
): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions('beamSearch', options, OPTIONS);
  const { beamSize = 4, groups = 1, diversityPenalty = 0.5 } = options;
  const settings = settingsOf(options);
  const phrases = (options.phrases ?? []).map((phrase) => (phrase instanceof Int32Array ? [phrase] : phrase));
  assertPhrases(phrases, groups);
  const constrained = phrases.length > 0;
  const phraseSet = new PhraseSet(phrases);
  const ruled = hasRules(options) || constrained;
  // A group may have to pass over every token that the groups before it took.
  const candidates = groups === 1 ? 2 * beamSize : 2 * (beamSize / groups) + beamSize;
  const requires: Requirements = {
    model: 'autoregressive',
    outputs: [ruled ? 'logProbs' : 'topK'],
    branching: beamSize > 1,
    rollback: true,
  };
  /** What a beam needs that is wider than the model's top-k head, or whose request brings a rule. */
  const wide: Requirements = { ...requires, outputs: ['logProbs'] };
  return {
    name: NAME,
    requires,
    accepts: ACCEPTS,
    decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      return searchRows(model, () => prepare(model, request), performance.now());
    },
  };

  function prepare(model: AutoregressiveModel<Source>, given: DecodeRequest<Source>): Search<Source> {
    const request = assertRuledDecode({ name: NAME, requires, accepts: ACCEPTS }, model, given, options);
    const { vocabulary } = model;
    assertPhrasesFit(phrases, vocabulary, commonLimit(model.maxLength, request));
    const wanted = Math.min(candidates, vocabulary.size);
    const rules = compileRules(options, vocabulary, request);
    if (!ruled && (rules.length > 0 || wanted > model.supports.maxCandidates)) {
      assertAutoregressive({ name: NAME, requires: wide }, model);
    }
    const start = (from: SearchStart) => {
      if (constrained) return new ConstrainedRow(from, settings, phraseSet);
      return groups === 1
        ? new BeamRow(from, settings)
        : new DiverseRow(from, settings, { groups, penalty: diversityPenalty });
    };
    const { tokenLogProbs, branches } = options;
    return { request, start, candidates: wanted, all: constrained, rules, tokenLogProbs, branches };
  }
}

/** Validates what does not depend on a model. Throws `INVALID_ARGUMENT`. */
function settingsOf(options: BeamSearchOptions): BeamSettings {
  const { beamSize = 4, hypotheses = 1, stopWhen = 'improvement-unlikely', patience = 1, groups = 1 } = options;
  assertInteger('hypotheses', hypotheses, 1, beamSize);
  assertNumber('patience', patience, 1 / beamSize, 1024);
  assertInteger('groups', groups, 1, beamSize);
  const finished = Math.round(beamSize * patience);
  if (finished < hypotheses) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `With patience ${patience} the search may stop after ${finished} finished hypotheses, but ${hypotheses} are wanted.`,
      { option: 'patience', received: patience, hypotheses },
    );
  }
  if (beamSize % groups !== 0) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `beamSize ${beamSize} cannot be split into ${groups} groups of one size. Choose a multiple.`,
      { option: 'groups', received: groups, beamSize },
    );
  }
  if (options.diversityPenalty !== undefined) {
    if (groups === 1) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        'diversityPenalty has no effect without groups. Set groups to 2 or more.',
        {
          option: 'diversityPenalty',
          received: options.diversityPenalty,
        },
      );
    }
  }
  const normalise = lengthNormaliser(options);
  const longerMayWin = (options.lengthPenalty ?? 1) > 0;
  return { beamSize, hypotheses, finished, stopWhen, normalise, longerMayWin, mayRaise: mayRaise(options) };
}

/** Throws `INVALID_ARGUMENT`. */
function assertPhrases(phrases: readonly Phrase[], groups: number): void {
  if (phrases.length > 0 && groups > 1) {
    throw new ForetokenError('INVALID_ARGUMENT', 'phrases and groups cannot be used together. Leave one of them out.', {
      option: 'phrases',
      groups,
    });
  }
}

/** Throws `INVALID_ARGUMENT` for tokens no output can hold, `UNSATISFIABLE_CONSTRAINT` where all phrases cannot fit. */
function assertPhrasesFit(phrases: readonly Phrase[], vocabulary: Vocabulary, limit: number): void {
  for (const tokenId of phrases.flatMap((forms) => forms.flatMap((form) => [...form]))) {
    assertInteger('phrases', tokenId, 0, vocabulary.size - 1);
    if (tokenId !== vocabulary.endTokenId) continue;
    throw new ForetokenError('INVALID_ARGUMENT', 'A phrase holds the end token, which is never part of an output.', {
      option: 'phrases',
      received: tokenId,
    });
  }
  // Phrases may overlap, so only the longest is sure to need its length.
  const min = largest(phrases.map(shortest), 0);
  if (min <= limit) return;
  throw new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `A phrase has at least ${min} tokens, but an output has at most ${limit} here.`,
    { option: 'phrases', received: min, max: limit },
  );
}
