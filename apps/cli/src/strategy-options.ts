import type { BeamSearchOptions } from '@foretoken/beam';
import type { TokenSource } from '@foretoken/core';
import type { LengthOptions, ScoreRules } from '@foretoken/core/kit';
import type { SamplingOptions } from '@foretoken/greedy';
import type { CtcPrefixBeamOptions, NatOptions } from '@foretoken/one-shot';
import type {
  EasyFirstOptions,
  LevenshteinOptions,
  MaskCtcOptions,
  MaskedDiffusionOptions,
  MaskPredictOptions,
  SkeletonFirstOptions,
} from '@foretoken/refine';
import type { OptionDefinition } from './command.js';
import { usageError } from './errors.js';
import type { Options } from './options.js';
import { partOf, STRATEGIES, STRATEGIES_OF, type StrategyName, type VariantName } from './strategy-names.js';

/**
 * What the command line says of how to search: options of the strategy it was read for and no others, so that all of it can
 * be handed to that strategy.
 */
export interface StrategyOptions
  extends LengthOptions,
    Pick<ScoreRules, 'repetitionPenalty' | 'noRepeatNgramSize'>,
    Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'>,
    Pick<BeamSearchOptions, 'beamSize' | 'lengthPenalty' | 'hypotheses'>,
    Pick<
      CtcPrefixBeamOptions<TokenSource>,
      'candidates' | 'minTokenLogProb' | 'beamThreshold' | 'lengthBonus' | 'alignments'
    >,
    Pick<NatOptions, 'deduplicate' | 'noAdjacentRepeats'>,
    Pick<MaskPredictOptions, 'iterations' | 'schedule' | 'minMasked' | 'adaptiveStop'>,
    Pick<MaskCtcOptions<TokenSource>, 'threshold'>,
    Pick<EasyFirstOptions, 'levels'>,
    Pick<SkeletonFirstOptions, 'share' | 'revise'>,
    Pick<MaskedDiffusionOptions, 'order' | 'entropyBound' | 'blockLength' | 'remask'>,
    Pick<LevenshteinOptions, 'perGap' | 'deletionThreshold'> {
  /** Which model of its kind decodes. */
  readonly variant?: VariantName | undefined;
  readonly seed?: number | undefined;
  readonly minNewTokens?: number | undefined;
  /** The folder's autoregressive model chooses among what was found. */
  readonly rescoring?: boolean | undefined;
  /** Weight of the folder's n-gram model; 0 leaves it out. */
  readonly languageModelWeight?: number | undefined;
  /** Phrases, and the bonus of each. */
  readonly hotWord?: readonly string[] | undefined;
  readonly hotWordBonus?: number | undefined;
  /** Start from the output of the folder's CTC model. */
  readonly fromCtc?: boolean | undefined;
  /** Canvases read hints of the folder's CTC model that are searched with its n-grams, not the best path. */
  readonly searchedHints?: boolean | undefined;
  /** Path of the texts to start from. */
  readonly initial?: string | undefined;
}

type Kind = 'integer' | 'number' | 'flag' | 'texts' | 'path' | readonly string[];

interface Definition {
  readonly name: string;
  readonly strategies: readonly StrategyName[];
  readonly kind: Kind;
  readonly description: string;
}

function define(
  name: string,
  kind: Kind,
  strategies: readonly StrategyName[] | StrategyName,
  description: string,
): Definition {
  return { name, kind, strategies: typeof strategies === 'string' ? [strategies] : strategies, description };
}

const RULED: readonly StrategyName[] = ['greedy', 'sampling', 'beam'];
const BEAMS: readonly StrategyName[] = ['beam', 'ctc-prefix-beam', 'dag-beam'];
const RANDOM: readonly StrategyName[] = ['sampling', 'dag-sampling', 'masked-diffusion'];
const PREDICTED: readonly StrategyName[] = ['nat', 'mask-predict', 'easy-first', 'skeleton-first'];
const HINTED: readonly StrategyName[] = [...PREDICTED, 'masked-diffusion', ...STRATEGIES_OF.edit];
const VITERBI: readonly StrategyName[] = ['dag-viterbi', 'dag-joint-viterbi'];
const ORDERS = ['confidence', 'margin', 'entropy', 'entropy-bounded', 'left-to-right', 'random'];

const DEFINITIONS: readonly Definition[] = [
  define('beam-size', 'integer', BEAMS, 'hypotheses kept at each step (default 4; ctc-prefix-beam: 16)'),
  define(
    'hypotheses',
    'integer',
    [...BEAMS, 'sampling', 'dag-sampling'],
    'outputs to return, in --json and --jsonl (default 1)',
  ),
  define('candidates', 'integer', ['ctc-prefix-beam', 'dag-beam', 'dag-sampling'], 'best tokens searched (default 5)'),
  define('length-penalty', 'number', ['beam', ...VITERBI, 'dag-beam'], 'exponent of the length in scores (default 1)'),
  define('length-bonus', 'number', 'ctc-prefix-beam', 'added to the score for each token (default 0)'),
  define('min-token-log-prob', 'number', 'ctc-prefix-beam', 'labels of a frame below this are not searched'),
  define('beam-threshold', 'number', 'ctc-prefix-beam', 'prefixes this far below the best one are dropped'),
  define(
    'language-model-weight',
    'number',
    ['ctc-prefix-beam', 'dag-beam'],
    "weight of the folder's n-grams; 0: without them",
  ),
  define('hot-word', 'texts', 'ctc-prefix-beam', 'a phrase that outputs should rather hold; may be repeated'),
  define('hot-word-bonus', 'number', 'ctc-prefix-beam', 'natural-log bonus of each hot word (default 5)'),
  define(
    'rescoring',
    'flag',
    ['ctc-prefix-beam', 'nat'],
    "the folder's autoregressive model chooses among what was found",
  ),
  define('alignments', 'flag', ['ctc', 'ctc-prefix-beam'], 'frames of each token, in --json and --jsonl'),
  define(
    'length',
    'integer',
    [...PREDICTED, 'masked-diffusion', ...VITERBI],
    'positions of a canvas, or of a DAG path',
  ),
  define('length-beam', 'integer', PREDICTED, 'predicted lengths tried side by side (default 1)'),
  define('length-weight', 'number', PREDICTED, 'weight of their own log-probabilities in the choice (default 0)'),
  define('deduplicate', 'flag', 'nat', 'collapse runs of equal tokens'),
  define('no-adjacent-repeats', 'flag', 'nat', 'the best canvas of which no two neighbours are equal'),
  define(
    'iterations',
    'integer',
    ['mask-predict', 'mask-ctc', 'easy-first', 'skeleton-first', 'masked-diffusion', ...STRATEGIES_OF.edit],
    'most iterations (default 10; mask-predict, mask-ctc 4; skeleton-first 1; masked-diffusion one a position)',
  ),
  define(
    'schedule',
    ['linear', 'cosine'],
    'mask-predict',
    'how fewer positions are masked: linear (default) or cosine',
  ),
  define('min-masked', 'integer', 'mask-predict', 'positions masked where the schedule says none: 0 (default) or 1'),
  define('adaptive-stop', 'flag', 'mask-predict', 'stop as soon as an iteration changes nothing'),
  define('threshold', 'number', 'mask-ctc', 'tokens of the CTC model less probable than this are masked (default 0.5)'),
  define('levels', 'integer', 'easy-first', 'positions are ranked into so many levels (default: one each)'),
  define('share', 'number', 'skeleton-first', 'share of positions that make the skeleton (default 0.5)'),
  define('revise', 'flag', 'skeleton-first', 'predict the skeleton anew at the end'),
  define('order', ORDERS, 'masked-diffusion', `${ORDERS.join(', ')} (default: confidence)`),
  define('entropy-bound', 'number', 'masked-diffusion', 'entropy decided an iteration besides the largest, in nats'),
  define('block-length', 'integer', 'masked-diffusion', 'positions decided before any later one (default: all)'),
  define('remask', 'number', 'masked-diffusion', 'share of earlier decisions each iteration takes back (default 0)'),
  define(
    'per-gap',
    'integer',
    STRATEGIES_OF.edit,
    'most tokens inserted between neighbours an iteration (insertion: 1)',
  ),
  define('deletion-threshold', 'number', 'levenshtein', 'delete what is more probably deleted than this (default 0.5)'),
  define('initial', 'path', 'levenshtein', 'outputs to start from and edit, one a line, beside the lines of the input'),
  define('searched-hints', 'flag', HINTED, "read hints that are searched with the folder's n-grams, not the best path"),
  define('from-ctc', 'flag', 'levenshtein', "edit the output of the folder's CTC model"),
  define(
    'temperature',
    'number',
    RANDOM,
    'of what is drawn (default 1; masked-diffusion: 0); 0 takes the best token, but for dag-sampling',
  ),
  define('top-k', 'integer', 'sampling', 'keep the k most probable tokens'),
  define('top-p', 'number', 'sampling', 'keep the most probable tokens that reach this probability'),
  define('min-p', 'number', 'sampling', 'keep tokens this fraction as probable as the best one'),
  define('seed', 'integer', RANDOM, 'seed of the random choices (default 0)'),
  define('repetition-penalty', 'number', RULED, 'above 1 discourages tokens that occurred'),
  define('no-repeat-ngram-size', 'integer', [...RULED, 'ctc-prefix-beam'], 'no run of n tokens occurs twice'),
  define('min-new-tokens', 'integer', RULED, 'least output tokens a line'),
];

function flagOf({ name, kind }: Definition): string {
  if (kind === 'flag') return `--${name}`;
  const value = kind === 'integer' || kind === 'number' ? 'n' : kind === 'texts' ? 'phrase' : kind;
  return `--${name} <${typeof value === 'string' ? value : 'name'}>`;
}

export const STRATEGY_OPTIONS: readonly OptionDefinition[] = DEFINITIONS.map((definition) => ({
  flag: flagOf(definition),
  description: definition.description,
  section: 'Options of strategies',
}));

/** Each strategy with what it needs and which options it takes, for the help. */
export const STRATEGY_HELP: readonly (readonly [string, string])[] = STRATEGIES.map((strategy) => {
  const own = DEFINITIONS.filter(({ strategies }) => strategies.includes(strategy)).map(({ name }) => `--${name}`);
  const options = strategy === 'speculative' ? ['--drafter', ...own] : own;
  const part = { autoregressive: 'autoregressive', ctc: 'CTC', canvas: 'canvas', dag: 'DAG', edit: 'edit' };
  return [strategy, [`${part[partOf(strategy)]} model`, ...options].join(' ')];
});

/** Reads what goes with a strategy; its values are checked by the strategy. Throws `INVALID_ARGUMENT`. */
export function readStrategyOptions(options: Options, strategy: StrategyName): StrategyOptions {
  const read: Record<string, unknown> = {};
  for (const { name, strategies, kind } of DEFINITIONS) {
    const value = readValue(options, name, kind);
    if (value === undefined) continue;
    if (!strategies.includes(strategy)) {
      throw usageError(`--${name} goes with --strategy ${alternatives(strategies)}, not with ${strategy}.`, {
        option: name,
        strategy,
        required: strategies,
      });
    }
    read[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  if (read.hotWordBonus !== undefined && read.hotWord === undefined) {
    throw usageError('--hot-word-bonus has no effect without --hot-word.', { option: 'hot-word-bonus' });
  }
  const { hotWord } = read as StrategyOptions;
  if (hotWord?.some((phrase) => phrase.trim() === '')) {
    throw usageError('--hot-word is blank; a phrase is required.', { option: 'hot-word', received: hotWord });
  }
  return read as StrategyOptions;
}

function readValue(options: Options, name: string, kind: Kind): unknown {
  if (kind === 'integer') return options.integer(name, 0, 0xffffffff);
  if (kind === 'number') return options.number(name);
  if (kind === 'flag') return options.flag(name) || undefined;
  if (kind === 'path') return options.text(name);
  if (kind !== 'texts') return options.choice(name, kind);
  const texts = options.texts(name);
  return texts.length === 0 ? undefined : texts;
}

function alternatives(names: readonly string[]): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
