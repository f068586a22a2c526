import type {
  Canvas,
  CanvasModel,
  CanvasSession,
  DecodeEvent,
  DecodeRequest,
  Decoder,
  RowResult,
  TokenSource,
  TopKPrediction,
} from '@foretoken/core';
import {
  assertAccepted,
  assertCanvas,
  assertRequest,
  bestCanvasTokens,
  canvasLengths,
  cutOutput,
  decodeEnd,
  noTokenLeft,
  rowCuts,
  rowResult,
  Yielder,
} from '@foretoken/core/kit';

/** Ways to get a minimal canvas decoder wrong. */
export type CanvasFault =
  | 'none'
  | 'ignores the limit'
  | 'limits all rows as the first'
  | 'ignores stops'
  | 'obeys stops in row 0 only'
  | 'fills finished rows again'
  | 'ignores output prefixes'
  | 'outputs the mask'
  | 'outputs tokens of probability 0'
  | 'takes scores that are not numbers'
  | 'lets rows influence one another'
  | 'draws without a seed'
  | 'shares state between decodes'
  | 'counts too few forwards'
  | 'shows something else than it commits'
  | 'leaks its session'
  | 'computes after an abort'
  | 'never lets others have a turn'
  | 'swallows a failed forward'
  | 'skips validation'
  | 'opens before checking the model'
  | 'fills canvases that are too long';

type Model = CanvasModel<TokenSource>;

const requires = { model: 'canvas', outputs: ['topK'], lengths: true, candidates: 2 } as const;

/** Canvases filled at once and then, if longer than three, once again in the second half; with one fault planted. */
export function minimalCanvas(fault: CanvasFault): Decoder<Model> {
  let shared = 0;
  let draws = 0;
  return {
    name: 'minimal',
    requires,
    async *decode(model: Model, request: DecodeRequest<TokenSource>): AsyncGenerator<DecodeEvent> {
      const began = performance.now();
      if (fault !== 'skips validation') assertRequest(request);
      if (fault !== 'ignores output prefixes') assertAccepted({ name: 'minimal', requires }, request);
      if (fault !== 'opens before checking the model') assertCanvas({ name: 'minimal', requires }, model);
      const { sources, signal } = request;
      const session = await model.open(sources, signal === undefined ? {} : { signal });
      try {
        const any =
          fault === 'fills canvases that are too long' ? { ...model, maxLength: Number.MAX_SAFE_INTEGER } : model;
        const lengths = await canvasLengths({}, session, any, request);
        const canvases = lengths.map(([tried], row): Canvas => {
          const length = Math.min(tried?.length ?? 0, model.maxLength);
          return { row, tokenIds: new Int32Array(length).fill(model.maskTokenId) };
        });
        yield* run(canvases, session, model, request, began);
      } finally {
        if (fault !== 'leaks its session') await session[Symbol.asyncDispose]();
      }
    },
  };

  async function* run(
    canvases: readonly Canvas[],
    session: CanvasSession,
    model: Model,
    request: DecodeRequest<TokenSource>,
    began: number,
  ): AsyncGenerator<DecodeEvent> {
    const { signal } = request;
    const yielder = new Yielder(signal);
    const results: RowResult[] = [];
    let forwards = 0;
    const rounds = ({ tokenIds: { length } }: Canvas): number => (length === 0 ? 0 : length > 3 ? 2 : 1);
    for (const round of [0, 1, 2]) {
      for (const canvas of canvases)
        if (rounds(canvas) === round) yield* report(canvas, model, request, results, began);
      const open = canvases.filter((canvas) => rounds(canvas) > round);
      if (open.length === 0) break;
      if (fault !== 'computes after an abort') signal?.throwIfAborted();
      const asked = fault === 'fills finished rows again' ? canvases.filter((canvas) => rounds(canvas) > 0) : open;
      const filled = session.fill(
        asked.map(({ row, tokenIds }): Canvas => ({ row, tokenIds: tokenIds.slice() })),
        { kind: 'topK', k: 2 },
        fault === 'computes after an abort' ? undefined : signal,
      );
      const predictions = await (fault === 'swallows a failed forward' ? filled.catch(() => undefined) : filled);
      forwards++;
      for (const canvas of open) {
        // Nothing is known of what failed, so the canvas is made of the first token that may be.
        take(canvas, predictions?.[asked.indexOf(canvas)] ?? first(canvas), predictions?.[0], model);
        if (round === 0 && rounds(canvas) === 2) canvas.tokenIds.fill(model.maskTokenId, canvas.tokenIds.length >> 1);
        if (fault !== 'never lets others have a turn' && yielder.due()) await yielder.yield();
      }
    }
    yield decodeEnd(results, began, { forwards: fault === 'counts too few forwards' ? forwards - 1 : forwards });
  }

  /** Decides what is masked. */
  function take(
    { row, tokenIds }: Canvas,
    prediction: TopKPrediction,
    other: TopKPrediction | undefined,
    { maskTokenId }: Model,
  ): void {
    const { length } = tokenIds;
    const influenced = fault === 'lets rows influence one another' && row === 2 && other !== prediction;
    const lenient = fault === 'takes scores that are not numbers' || fault === 'outputs tokens of probability 0';
    const ids =
      lenient || fault === 'outputs the mask'
        ? rawBest(prediction, length, fault === 'outputs the mask' ? -1 : maskTokenId)
        : bestCanvasTokens(prediction, length, maskTokenId).tokenIds;
    if (!lenient) bestCanvasTokens(prediction, length, maskTokenId);
    if (fault === 'shares state between decodes') shared++;
    if (fault === 'draws without a seed') draws++;
    for (const [position, tokenId] of tokenIds.entries()) {
      if (tokenId !== maskTokenId) continue;
      const foreign = influenced && position === 0 ? other?.tokenIds[0] : undefined;
      const turned =
        (fault === 'shares state between decodes' && shared % 3 === 0) ||
        (fault === 'draws without a seed' && draws % 7 === 0);
      tokenIds[position] = turned ? 1 : (foreign ?? ids[position]);
    }
  }

  function* report(
    { row, tokenIds: whole }: Canvas,
    model: Model,
    request: DecodeRequest<TokenSource>,
    results: RowResult[],
    began: number,
  ): Generator<DecodeEvent> {
    const { maxNewTokens, stopSequences, stopStrings } = rowCuts(
      request,
      fault === 'limits all rows as the first' ? 0 : row,
    );
    const ignores = fault === 'ignores stops' || (fault === 'obeys stops in row 0 only' && row > 0);
    const cut = cutOutput(whole, model.vocabulary.endTokenId, {
      maxNewTokens: fault === 'ignores the limit' ? undefined : maxNewTokens,
      stopSequences: ignores ? undefined : stopSequences,
      stopStrings: ignores ? undefined : stopStrings,
    });
    const { tokenIds } = cut;
    const undecided = tokenIds.indexOf(model.maskTokenId);
    if (undecided >= 0 && fault !== 'outputs the mask') throw noTokenLeft(row, undecided);
    const shown = fault === 'shows something else than it commits' ? tokenIds.slice(1) : tokenIds;
    const atMs = performance.now() - began;
    yield { type: 'canvas-revise', row, tokenIds: shown, atMs };
    if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs };
    results[row] = rowResult(row, [cut]);
  }
}

/** The better of two candidates that is not forbidden, whatever its score. */
function rawBest({ tokenIds }: TopKPrediction, length: number, forbidden: number): number[] {
  return Array.from({ length }, (_, position) => {
    const [best, second] = [tokenIds[2 * position], tokenIds[2 * position + 1]];
    return best === forbidden ? second : best;
  });
}

function first({ row, tokenIds: { length } }: Canvas): TopKPrediction {
  const tokenIds = Int32Array.from({ length: 2 * length }, (_, index) => 1 + (index % 2));
  return { row, kind: 'topK', k: 2, tokenIds, logProbs: new Float32Array(2 * length).fill(-1) };
}
