import { flag, integer, number, path } from './strategy-option.js';

/** Options that several strategies take: each is described once, since help lists it once. */

/** What goes with each request and not into a decoder. */
export const REQUEST_OPTIONS = {
  seed: integer('seed of the random choices (default 0)'),
  minNewTokens: integer('minimum of output tokens a line'),
  initialOutputs: path('file of outputs to start from and edit, one a line, beside the lines of the input'),
} as const;

export const BEAM_SIZE = { beamSize: integer('hypotheses kept at each step (default 4; ctc-prefix-beam: 16)') };
export const HYPOTHESES = { hypotheses: integer('outputs to return, in --json and --jsonl (default 1)') };
export const CANDIDATES = { candidates: integer('best tokens searched (default 5)') };
export const LENGTH_PENALTY = { lengthPenalty: number('exponent of the length in scores (default 1)') };
export const ALIGNMENTS = { alignments: flag('frames of each token, in --json and --jsonl') };
export const LANGUAGE_MODEL = {
  languageModelWeight: number("weight of the folder's n-grams; 0: without them"),
};
export const RESCORING = { rescoring: flag("the folder's autoregressive model chooses among what was found") };
export const LENGTH = { length: integer('positions of a canvas, or of a DAG path') };
export const PREDICTED_LENGTHS = {
  ...LENGTH,
  lengthBeam: integer('predicted lengths tried side by side (default 1)'),
  lengthWeight: number('weight of their own log-probabilities in the choice (default 0)'),
};
export const ITERATIONS = {
  iterations: integer(
    'maximum of iterations (default 10; mask-predict, mask-ctc 4; skeleton-first 1; masked-diffusion one a position)',
  ),
};
export const HINTS = {
  searchedHints: flag("start from a search with the folder's n-grams, not from the best path of the CTC model"),
};
export const TEMPERATURE = {
  temperature: number(
    'how random draws are (default 1; masked-diffusion: 0); 0 takes the best token (dag-sampling: above 0)',
  ),
};
export const NO_REPEATED_NGRAMS = { noRepeatNgramSize: integer('no run of n tokens occurs twice') };
export const RULES = {
  repetitionPenalty: number('above 1 discourages tokens that occurred'),
  ...NO_REPEATED_NGRAMS,
};
export const PER_GAP = {
  perGap: integer('maximum of tokens inserted between neighbours an iteration (insertion: 1)'),
};
