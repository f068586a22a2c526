import {
  type Alternatives,
  type CanvasModel,
  type DecodeRequest,
  ForetokenError,
  type OpenOptions,
  type TopKPrediction,
} from '@foretoken/core';
import {
  bestCanvasTokens,
  type CanvasProposal,
  canvasCandidates,
  canvasLengths,
  cutOutput,
  filledCanvases,
  forwardParts,
  joinTokens,
  type LengthOptions,
  meanLogProb,
  noTokenLeft,
  opened,
  rowCuts,
  type TriedLength,
  Yielder,
} from '@foretoken/core/kit';
import { NO_REPEAT_CANDIDATES, withoutRepeats } from './no-repeat.js';

/** A whole canvas after one fill: tokens, and natural-log probabilities, NaN where they were given; `[length]` each. */
export interface FilledCanvas extends CanvasProposal {
  /**
   * What a row's canvases are ranked by; first the mean natural-log probability of what the model decided and what the length
   * adds, `-Infinity` where it decided nothing.
   */
  readonly score: number;
  /** The most probable tokens of each position but the mask, where asked for; `[length]`. */
  readonly alternatives?: readonly Alternatives[] | undefined;
}

/** Canvases of each row, at least one, in the order of their lengths' probability. */
export interface FilledRows {
  readonly rows: readonly (readonly FilledCanvas[])[];
  /** One where all fit into it; none where no row has anything to decide. */
  readonly forwards: number;
}

export interface FillOptions extends LengthOptions {
  /** Choose tokens of which no two neighbours are equal. */
  readonly noAdjacentRepeats: boolean;
  /** How many of the most probable tokens are told of each position. */
  readonly alternatives: number;
}

/** Candidates of a position that are asked for; one of them may be the mask. */
export function candidatesFor({ noAdjacentRepeats, alternatives }: Told): number {
  return Math.max(noAdjacentRepeats ? NO_REPEAT_CANDIDATES : 1, alternatives) + 1;
}

type Told = Pick<FillOptions, 'noAdjacentRepeats' | 'alternatives'>;

/** A canvas that is to be filled after `given` tokens. */
interface Blank {
  readonly row: number;
  /** What its length adds to its score. */
  readonly bonus: number;
  readonly given: number;
  readonly tokenIds: Int32Array;
}

/**
 * Fills a canvas of masks for every length of every row, in one forward where they fit into it.
 *
 * Lengths at which the model leaves a position of the output no token are left out; `read` is what says where an output ends.
 * Throws `LENGTH_LIMIT`, `INVALID_SCORES`, and `UNSATISFIABLE_CONSTRAINT` where no length of a row is left.
 */
export async function fillAtOnce<Source>(
  options: FillOptions,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
  open: OpenOptions,
  read: DecodeRequest<unknown>,
): Promise<FilledRows> {
  const { sources, signal } = request;
  const session = opened('canvas', await model.open(sources, open));
  try {
    const lengths = await canvasLengths(options, session, model, request);
    const rows = sources.map((_, row) => blanksOf(row, lengths[row], model, request));
    const due = rows.flat().filter(isDue);
    const output = { kind: 'topK', k: candidatesFor(options) } as const;
    const parts = forwardParts(due, ({ tokenIds }) => tokenIds.length);
    const yielder = new Yielder(signal);
    const found = new Map<Blank, FilledCanvas>();
    for (const part of parts) {
      signal?.throwIfAborted();
      const predictions = await filledCanvases(session, part, output, model.vocabulary.size, signal);
      for (const [index, blank] of part.entries()) {
        const canvas = fill(blank, predictions[index], options, model);
        if (canvas !== undefined) found.set(blank, canvas);
        if (yielder.due()) await yielder.yield();
      }
    }
    const filled: FilledCanvas[][] = [];
    for (const [row, blanks] of rows.entries()) {
      const canvases = blanks.flatMap((blank) => (isDue(blank) ? (found.get(blank) ?? []) : givenAlone(blank)));
      if (canvases.length === 0) throw unavoidable(row);
      filled.push(decided(row, canvases, model, read));
      if (yielder.due()) await yielder.yield();
    }
    return { rows: filled, forwards: parts.length };
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

function blanksOf<Source>(
  row: number,
  lengths: readonly TriedLength[],
  { vocabulary, maskTokenId }: CanvasModel<Source>,
  request: DecodeRequest<Source>,
): Blank[] {
  const prefix = request.outputPrefixes?.[row] ?? new Int32Array();
  // A prefix after which the output is over leaves nothing to decide.
  const over =
    cutOutput(prefix, vocabulary.endTokenId, rowCuts(request, row), prefix.length).finishReason !== 'complete';
  return (over ? [{ length: prefix.length, bonus: 0 }] : lengths).map(({ length, bonus }) => {
    const tokenIds = new Int32Array(length).fill(maskTokenId);
    tokenIds.set(prefix);
    return { row, bonus, given: prefix.length, tokenIds };
  });
}

/** Whether the model has anything to decide. */
function isDue({ given, tokenIds }: Blank): boolean {
  return given < tokenIds.length;
}

/** A canvas of given tokens alone. */
function givenAlone({ tokenIds }: Blank): FilledCanvas {
  return { tokenIds, logProbs: unknown(tokenIds.length), score: Number.NEGATIVE_INFINITY };
}

function unknown(length: number): Float32Array {
  return new Float32Array(length).fill(Number.NaN);
}

/** The canvases of a row in whose output no position is undecided. */
function decided<Source>(
  row: number,
  canvases: readonly FilledCanvas[],
  { vocabulary, maskTokenId }: CanvasModel<Source>,
  read: DecodeRequest<unknown>,
): FilledCanvas[] {
  const undecided = canvases.map(({ tokenIds }) =>
    cutOutput(tokenIds, vocabulary.endTokenId, rowCuts(read, row)).tokenIds.indexOf(maskTokenId),
  );
  const left = canvases.filter((_, index) => undecided[index] === -1);
  if (left.length === 0) throw noTokenLeft(row, undecided[0]);
  return left;
}

/** The canvas with the chosen tokens; `undefined` where it cannot do without repeats. */
function fill<Source>(
  { bonus, given, tokenIds: blank }: Blank,
  prediction: TopKPrediction,
  { noAdjacentRepeats, alternatives: told }: Told,
  model: CanvasModel<Source>,
): FilledCanvas | undefined {
  const tokenIds = blank.slice();
  const logProbs = unknown(blank.length);
  const chosen = noAdjacentRepeats
    ? chooseWithoutRepeats(prediction, blank, given, model)
    : bestCanvasTokens(prediction, blank.length, model.maskTokenId);
  if (chosen === undefined) return undefined;
  for (let position = given; position < blank.length; position++) {
    tokenIds[position] = chosen.tokenIds[position];
    logProbs[position] = chosen.logProbs[position];
  }
  const alternatives = told === 0 ? undefined : likeliest(prediction, blank.length, told, model.maskTokenId);
  return { tokenIds, logProbs, score: meanLogProb(logProbs) + bonus, alternatives };
}

/** The `count` most probable tokens of each position, fewer where there are fewer, the mask left out. */
function likeliest(prediction: TopKPrediction, length: number, count: number, maskTokenId: number): Alternatives[] {
  const { tokenIds, logProbs, k } = canvasCandidates(prediction, length);
  return Array.from({ length }, (_, position) => {
    const cells = Array.from({ length: k }, (_, rank) => position * k + rank);
    const told = cells.filter((cell) => tokenIds[cell] !== maskTokenId).slice(0, count);
    return {
      tokenIds: Int32Array.from(told, (cell) => tokenIds[cell]),
      logProbs: Float32Array.from(told, (cell) => logProbs[cell]),
    };
  });
}

/** Arrays as long as the canvas; its first `given` positions are not chosen. */
function chooseWithoutRepeats<Source>(
  prediction: TopKPrediction,
  blank: Int32Array,
  given: number,
  { vocabulary, maskTokenId }: CanvasModel<Source>,
): CanvasProposal | undefined {
  const { tokenIds, logProbs, k } = canvasCandidates(prediction, blank.length);
  const best = bestCanvasTokens(prediction, blank.length, maskTokenId);
  // What the model rules out is no matter of repeats.
  if (best.tokenIds.subarray(given).includes(maskTokenId)) return best;
  const last = blank[given - 1];
  const chosen = withoutRepeats(
    { tokenIds: tokenIds.subarray(given * k), logProbs: logProbs.subarray(given * k), k },
    { before: last, forbidden: maskTokenId, mayRepeat: vocabulary.endTokenId },
  );
  if (chosen === undefined) return undefined;
  return {
    tokenIds: joinTokens(blank.subarray(0, given), chosen.tokenIds),
    logProbs: Float32Array.from([...new Float32Array(given), ...chosen.logProbs]),
  };
}

function unavoidable(row: number): ForetokenError {
  return new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `The model leaves row ${row} no output without repeated neighbours. Leave the option noAdjacentRepeats out.`,
    { option: 'noAdjacentRepeats', row },
  );
}
