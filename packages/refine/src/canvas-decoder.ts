import type {
  Canvas,
  CanvasModel,
  CanvasPrediction,
  CanvasSession,
  DecodeEvent,
  DecodeRequest,
  Decoder,
  OutputRequest,
  Requirements,
} from '@foretoken/core';
import {
  append,
  assertCanvasRequest,
  assertDecode,
  assertLengthOptions,
  canvasLengths,
  commonEncoding,
  cutOutput,
  filledCanvases,
  forwardParts,
  givenTokens,
  type LengthOptions,
  MAX_FORWARD_CELLS,
  type NamedRequirements,
  opened,
  rowCuts,
} from '@foretoken/core/kit';
import { assertLatticeSearch, type LatticeSearch, pathsToRead, searchOutputs } from './lattice-search.js';
import { type Answered, refineRows } from './refine-rows.js';
import { RefinedCanvas } from './refined-canvas.js';

/**
 * Canvases that the model is to look at, each as long as the row's own, at least one; the predictions come in the same order.
 * `undefined` lets other work have a turn.
 */
export type Refinement<Output extends OutputRequest> = Generator<
  readonly Int32Array[] | undefined,
  void,
  readonly CanvasPrediction<Output>[]
>;

/** What a strategy may know of the row it works on. */
export interface RowContext {
  readonly source: unknown;
  readonly seed: number;
  readonly vocabularySize: number;
  /** Whether the first `length` tokens hold an end token or a stop, so that what follows is cut off anyway. */
  endsWithin(tokenIds: Int32Array, length: number): boolean;
}

/** A strategy on canvases: what it asks the model for, and how it refines one canvas. */
export interface CanvasStrategy<Source, Output extends OutputRequest> extends LengthOptions {
  readonly name: string;
  /** Without it canvases begin as masks, as many as the model predicts. */
  readonly initial?: LatticeSearch<Source> | undefined;
  readonly output: Output;
  /** Report the mean log-probability, and what the length adds to it, as `score`. */
  readonly scored: boolean;
  refine(canvas: RefinedCanvas, row: RowContext): Refinement<Output>;
}

/** The decoder of a strategy on canvases. Throws `INVALID_ARGUMENT` for length options out of range. */
export function canvasDecoder<Source, Output extends OutputRequest>(
  strategy: CanvasStrategy<Source, Output>,
): Decoder<CanvasModel<Source>> {
  const { name, output, length, initial } = strategy;
  assertLengthOptions(strategy);
  const requires: Requirements = {
    model: 'canvas',
    outputs: [output.kind],
    lengths: length === undefined && initial === undefined,
    candidates: 'k' in output ? output.k : 0,
  };
  // Outputs that a lattice is searched for have its length and its beginning.
  const checked: NamedRequirements = {
    name,
    requires,
    accepts: initial === undefined ? ['lengths', 'outputPrefixes'] : [],
  };
  return {
    ...checked,
    decode: (model, request) => decode(strategy, checked, model, request, performance.now()),
  };
}

async function* decode<Source, Output extends OutputRequest>(
  strategy: CanvasStrategy<Source, Output>,
  checked: NamedRequirements,
  model: CanvasModel<Source>,
  given: DecodeRequest<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const request = assertDecode(checked, model, given);
  const { sources, signal, outputPrefixes } = request;
  assertCanvasRequest(strategy, model, request);
  const { initial } = strategy;
  if (initial !== undefined) assertLatticeSearch(initial, model.vocabulary);
  const encoding = await commonEncoding(model, initial?.lattice, sources, signal);
  const open = { encoding, signal };
  let session: CanvasSession | undefined;
  try {
    const found = initial && (await searchOutputs(initial, request, open));
    const started = found?.map((outputs) => [{ canvas: RefinedCanvas.of(outputs, model), bonus: 0 }]);
    const hints = initial && found && pathsToRead(model, initial, found);
    session = opened('canvas', await model.open(sources, { ...open, hints }));
    const filling = session;
    const first = started ?? (await blanks(strategy, filling, model, request));
    const rows = sources.map((source, row) => {
      const context = contextOf(source, row, model, request);
      return first[row].map(({ canvas, bonus }) => ({
        refinement: strategy.refine(canvas, context),
        bonus,
        show: () => canvas,
      }));
    });
    const fillAll = async (canvases: readonly Canvas[]): Promise<CanvasPrediction<Output>[]> => {
      signal?.throwIfAborted();
      return filledCanvases(filling, canvases, strategy.output, model.vocabulary.size, signal);
    };
    yield* refineRows(rows, (asks) => fillTogether(asks, fillAll), {
      request,
      endTokenId: model.vocabulary.endTokenId,
      undecidedTokenId: model.maskTokenId,
      given: sources.map((_, row) => outputPrefixes?.[row]?.length ?? 0),
      scored: strategy.scored,
      otherForwards: initial === undefined ? undefined : 1,
      began,
    });
  } finally {
    await session?.[Symbol.asyncDispose]();
    encoding?.dispose();
  }
}

/** A canvas to refine, and what its length adds to its score. */
interface StartedCanvas {
  readonly canvas: RefinedCanvas;
  readonly bonus: number;
}

/** Canvases of masks after each row's prefix, one for every length to try. */
async function blanks<Source>(
  strategy: LengthOptions,
  session: CanvasSession,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
): Promise<StartedCanvas[][]> {
  const lengths = await canvasLengths(strategy, session, model, request);
  return request.sources.map((source, row) => {
    const given = request.outputPrefixes?.[row] ?? new Int32Array();
    // A prefix after which the output is over leaves nothing to decide.
    const over = contextOf(source, row, model, request).endsWithin(given, given.length);
    const tried = over ? [{ length: given.length, bonus: 0 }] : lengths[row];
    return tried.map(({ length, bonus }) => ({
      canvas: new RefinedCanvas(given, length, model.maskTokenId),
      bonus,
    }));
  });
}

function contextOf<Source>(
  source: Source,
  row: number,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
): RowContext {
  const given = givenTokens(request, row);
  const cuts = rowCuts(request, row);
  const { endTokenId, size } = model.vocabulary;
  return {
    source,
    seed: request.seed ?? 0,
    vocabularySize: size,
    endsWithin: (tokenIds, length) =>
      cutOutput(tokenIds.subarray(0, length), endTokenId, cuts, given).finishReason !== 'complete',
  };
}

/** Canvases of one row that are asked about together. */
type CanvasAsk = readonly [row: number, canvases: readonly Int32Array[]];

/**
 * The first questions, as many as fit into one forward; of a single one that does not fit, a part in each of several.
 */
async function fillTogether<Prediction>(
  asks: readonly CanvasAsk[],
  fillAll: (canvases: readonly Canvas[]) => Promise<Prediction[]>,
): Promise<Answered<Prediction[]>> {
  const some = firstThatFit(asks);
  const canvases = some.flatMap(([row, all]) => all.map((tokenIds) => ({ row, tokenIds })));
  const parts = forwardParts(canvases, ({ tokenIds }) => tokenIds.length);
  const predictions: Prediction[] = [];
  for (const part of parts) append(predictions, await fillAll(part));
  let at = 0;
  const answers = some.map(([, { length }]) => {
    at += length;
    return predictions.slice(at - length, at);
  });
  return { answers, forwards: parts.length };
}

/** The first questions whose canvases fit into a forward together, at least one. */
function firstThatFit(asks: readonly CanvasAsk[]): readonly CanvasAsk[] {
  let canvases = 0;
  let longest = 0;
  const over = asks.findIndex(([, all]) => {
    canvases += all.length;
    longest = Math.max(longest, all[0]?.length ?? 0);
    return canvases * longest > MAX_FORWARD_CELLS;
  });
  return over < 0 ? asks : asks.slice(0, Math.max(1, over));
}
