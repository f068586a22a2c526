import {
  type AutoregressiveModel,
  type CanvasModel,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type OptionalField,
  type Requirements,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertCanvasRequest,
  assertDecode,
  assertLengthOptions,
  checkOptions,
  commonEncoding,
  cutOutput,
  fields,
  flag,
  givenTokens,
  integer,
  LENGTH_OPTIONS,
  type LengthOptions,
  largest,
  type NamedRequirements,
  type OptionTable,
  type RowCuts,
  rowCuts,
  withMethods,
} from '@foretoken/core/kit';
import { assertRescorer } from '../rescoring/rescorer.js';
import { type Candidate, rowEvents } from '../row-events.js';
import { collapseRepeats } from './collapse-repeats.js';
import { candidatesFor, type FilledCanvas, type FilledRows, type FillOptions, fillAtOnce } from './fill-at-once.js';
import { rescored } from './rescored.js';

/**
 * An autoregressive model that chooses among the lengths of a row (noisy parallel decoding; Gu et al., 2018, section 4);
 * `lengthBeam` of 2 or more is required with it.
 */
export interface NatRescoring<Source> {
  /** Of the canvas model's vocabulary; it scores all candidates of all rows in one forward where they fit. */
  readonly model: AutoregressiveModel<Source>;
}

/** Options of `nat`. */
export interface NatOptions<Source = TokenSource> extends LengthOptions {
  /** What chooses among the lengths of a row; default: the canvas model's own mean log-probability. */
  readonly rescoring?: NatRescoring<Source> | undefined;
  /** Collapse runs of equal tokens after the fill (default false): cheap, but wanted repeats are lost too. */
  readonly deduplicate?: boolean | undefined;
  /**
   * Choose the most probable canvas of which no two neighbours are equal (default false); exact over the whole vocabulary.
   * Unlike `deduplicate` it keeps the length and puts another token in the place of a repeat.
   */
  readonly noAdjacentRepeats?: boolean | undefined;
  /**
   * How many of the most probable tokens are told of each position, with the log-probabilities of those that were chosen (default 0).
   * Not together with `deduplicate`, after which positions are others.
   */
  readonly alternatives?: number | undefined;
}

const NAME = 'nat';

const OPTIONS: OptionTable<NatOptions<never>> = {
  ...LENGTH_OPTIONS,
  rescoring: fields<NatRescoring<never>>({ model: withMethods('an autoregressive model', 'open') }, ['model']),
  deduplicate: flag,
  noAdjacentRepeats: flag,
  alternatives: integer(0),
};

/**
 * Length-predicted non-autoregressive decoding: the model predicts the output's length, then all its tokens at once, in one
 * forward for all lengths of all rows where they fit into it (Gu et al., 2018, "Non-Autoregressive Neural Machine Translation").
 *
 * A hypothesis' `score` is what its length was chosen by: the mean natural-log probability of the canvas, before repeats
 * collapse, and what `lengthWeight` makes of its length, or the autoregressive model's natural-log probability of the output and its end token, divided by the number of
 * both; `logProb` is the sum of the canvas model's over the output. Throws `INVALID_ARGUMENT`; decoding throws
 * `UNSUPPORTED_CAPABILITY`, `LENGTH_LIMIT`, `INVALID_SCORES` for scores that are not numbers, and `UNSATISFIABLE_CONSTRAINT` where
 * a row cannot do without repeats or no token but the mask is possible at a position of its output.
 */
export function nat<Source = TokenSource>(options: NatOptions<Source> = {}): Decoder<CanvasModel<Source>> {
  options = checkOptions<NatOptions<Source>>(NAME, options, OPTIONS);
  assertOptions(options);
  const { length, noAdjacentRepeats = false, alternatives = 0 } = options;
  const candidates = candidatesFor({ noAdjacentRepeats, alternatives });
  const requires: Requirements = { model: 'canvas', outputs: ['topK'], lengths: length === undefined, candidates };
  // A model that rescores reads whole outputs.
  const accepts: readonly OptionalField[] = options.rescoring ? ['lengths'] : ['lengths', 'outputPrefixes'];
  const checked = { name: NAME, requires, accepts };
  return {
    ...checked,
    decode: (model, request) => decode(options, checked, model, request, performance.now()),
  };
}

async function* decode<Source>(
  options: NatOptions<Source>,
  checked: NamedRequirements,
  model: CanvasModel<Source>,
  given: DecodeRequest<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const request = assertDecode(checked, model, given);
  const { rescoring, noAdjacentRepeats = false, deduplicate = false, alternatives = 0 } = options;
  const { vocabulary } = model;
  if (rescoring !== undefined) {
    assertRescorer('rescoring.model', rescoring.model, vocabulary, true);
  }
  assertCanvasRequest(options, model, request);
  const { rows, forwards, otherForwards } = await rankedCanvases(
    { ...options, noAdjacentRepeats, deduplicate, alternatives },
    model,
    request,
  );
  const best = rows.map((canvases, row): Candidate[] => [
    readPart(highest(canvases), givenTokens(request, row), vocabulary, rowCuts(request, row)),
  ]);
  yield* rowEvents(best, request, {
    endTokenId: vocabulary.endTokenId,
    began,
    counts: { forwards, otherForwards },
  });
}

/** Canvases of each row, in the order of their lengths' probability, with the scores that choose among them. */
async function rankedCanvases<Source>(
  options: FillOptions & Pick<NatOptions<Source>, 'rescoring' | 'deduplicate'>,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
): Promise<FilledRows & { readonly otherForwards?: number | undefined }> {
  const { deduplicate } = options;
  const rescorer = options.rescoring?.model;
  const { sources, signal } = request;
  const encoding = await commonEncoding(model, rescorer, sources, signal);
  const open = { encoding, signal };
  try {
    // A model that rescores reads whole outputs, wherever the request cuts them.
    const filled = await fillAtOnce(options, model, request, open, rescorer === undefined ? request : { sources });
    const rows = deduplicate
      ? filled.rows.map((canvases, row) => canvases.map((canvas) => collapsed(canvas, givenTokens(request, row))))
      : filled.rows;
    if (rescorer === undefined) return { rows, forwards: filled.forwards };
    // It is the model that rescores that decides, the canvas model writes candidates.
    return { ...(await rescored(rescorer, sources, rows, open)), otherForwards: filled.forwards };
  } finally {
    encoding?.dispose();
  }
}

/** The canvas of highest score, the earlier and more probable length among equals. */
function highest(canvases: readonly FilledCanvas[]): FilledCanvas {
  const scores = canvases.map(({ score }) => score);
  return canvases[scores.indexOf(largest(scores))];
}

function collapsed(canvas: FilledCanvas, given: number): FilledCanvas {
  return { ...collapseRepeats(canvas, given), score: canvas.score };
}

/** What the output consists of, its end token included, with the sum of its log-probabilities. */
function readPart(
  { tokenIds, logProbs, score, alternatives }: FilledCanvas,
  given: number,
  { endTokenId }: Vocabulary,
  cuts: RowCuts,
): Candidate {
  const cut = cutOutput(tokenIds, endTokenId, cuts, given);
  const length = cut.tokenIds.length + (cut.finishReason === 'end-token' ? 1 : 0);
  const read = Array.from(logProbs.subarray(0, length));
  const logProb = read.slice(given).reduce((sum, value) => sum + value, 0);
  return {
    tokenIds: Array.from(tokenIds.subarray(0, length)),
    logProbs: read,
    logProb,
    score: Number.isFinite(score) ? score : undefined,
    told: alternatives && {
      tokenLogProbs: logProbs.slice(given, length),
      alternatives: alternatives.slice(given, length),
    },
  };
}

function assertOptions<Source>(options: NatOptions<Source>): void {
  assertLengthOptions(options);
  const { rescoring, lengthBeam = 1, lengthWeight = 0, deduplicate = false, noAdjacentRepeats = false } = options;
  const { alternatives = 0 } = options;
  if (alternatives > 0 && deduplicate) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'alternatives are of positions, which deduplicate moves. Leave one of them out, or take noAdjacentRepeats in its place.',
      { option: 'alternatives', received: alternatives },
    );
  }
  if (deduplicate && noAdjacentRepeats) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'deduplicate has no effect with noAdjacentRepeats, which leaves no repeats to collapse. Leave one of them out.',
      { option: 'deduplicate', received: deduplicate },
    );
  }
  if (rescoring === undefined) return;
  if (lengthBeam === 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'rescoring has nothing to choose among with a single length; lengthBeam of 2 or more is required with it.',
      { option: 'rescoring', lengthBeam },
    );
  }
  if (lengthWeight > 0) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'lengthWeight has no effect where a model rescores, which alone chooses the length. Leave one of them out.',
      { option: 'lengthWeight', received: lengthWeight },
    );
  }
}
