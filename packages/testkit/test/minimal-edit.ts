import type {
  DecodeEvent,
  DecodeRequest,
  Decoder,
  EditModel,
  EditSession,
  RowResult,
  TokenSource,
  TopKPrediction,
} from '@foretoken/core';
import {
  assertAccepted,
  assertEdit,
  assertRequest,
  bestCanvasTokens,
  cutOutput,
  decodeEnd,
  noTokenLeft,
  rowCuts,
  rowResult,
  Yielder,
} from '@foretoken/core/kit';

/** Ways to get a minimal edit decoder wrong. */
export type EditFault =
  | 'none'
  | 'ignores the limit'
  | 'limits all rows as the first'
  | 'ignores stops'
  | 'obeys stops in row 0 only'
  | 'asks about finished rows'
  | 'ignores output prefixes'
  | 'outputs the placeholder'
  | 'takes scores that are not numbers'
  | 'tells wrong origins'
  | 'shares state between decodes'
  | 'counts too few forwards'
  | 'shows something else than it commits'
  | 'leaks its session'
  | 'computes after an abort'
  | 'swallows a failed forward'
  | 'skips validation'
  | 'opens before checking the model';

type Model = EditModel<TokenSource>;

const requires = { model: 'edit', outputs: ['topK'], candidates: 2 } as const;

/** One row: its canvas, boundaries included, and where each of its positions was before. */
interface Edited {
  readonly row: number;
  tokenIds: Int32Array;
  origins: Int32Array;
}

/** Inserts and fills once, and once more where the canvas is still short; with one fault planted. */
export function minimalEdit(fault: EditFault): Decoder<Model> {
  let shared = 0;
  return {
    name: 'minimal',
    requires,
    async *decode(model: Model, request: DecodeRequest<TokenSource>): AsyncGenerator<DecodeEvent> {
      const began = performance.now();
      if (fault !== 'skips validation') assertRequest(request);
      if (fault !== 'ignores output prefixes') assertAccepted({ name: 'minimal', requires }, request);
      if (fault !== 'opens before checking the model') assertEdit({ name: 'minimal', requires }, model);
      const session = await model.open(request.sources);
      try {
        yield* run(session, model, request, began);
      } finally {
        if (fault !== 'leaks its session') await session[Symbol.asyncDispose]();
      }
    },
  };

  async function* run(
    session: EditSession,
    model: Model,
    request: DecodeRequest<TokenSource>,
    began: number,
  ): AsyncGenerator<DecodeEvent> {
    const { startTokenId, placeholderTokenId, vocabulary } = model;
    const signal = fault === 'computes after an abort' ? undefined : request.signal;
    const yielder = new Yielder(signal);
    const rows = request.sources.map((_, row): Edited => {
      return { row, tokenIds: Int32Array.of(startTokenId, vocabulary.endTokenId), origins: new Int32Array() };
    });
    const results: RowResult[] = [];
    let forwards = 0;
    const isOpen = ({ tokenIds }: Edited): boolean => tokenIds.length <= 5;
    for (const round of [1, 2]) {
      const open = rows.filter((edited) => round === 1 || isOpen(edited));
      if (open.length === 0) break;
      if (yielder.due()) await yielder.yield();
      signal?.throwIfAborted();
      const asked = fault === 'asks about finished rows' ? rows : open;
      const counts = await orNothing(session.placeholders(asked, signal));
      forwards++;
      for (const edited of open) insert(edited, counts?.[asked.indexOf(edited)] ?? new Int32Array(), model);
      const due = open.filter(({ tokenIds }) => tokenIds.includes(placeholderTokenId));
      for (const edited of due) yield revision(edited, began);
      if (due.length > 0) {
        signal?.throwIfAborted();
        const predictions = await orNothing(session.fill(due, { kind: 'topK', k: 2 }, signal));
        forwards++;
        for (const [index, edited] of due.entries()) {
          const prediction = predictions?.[index];
          if (prediction === undefined) continue;
          fill(edited, prediction, placeholderTokenId);
          yield revision(edited, began);
        }
      }
      for (const edited of open) {
        if (round === 2 || !isOpen(edited)) yield* report(edited, model, request, results, began);
      }
    }
    yield decodeEnd(results, began, { forwards: fault === 'counts too few forwards' ? forwards - 1 : forwards });
  }

  /** What the model answers, or nothing where it fails and the fault is not to see it. */
  function orNothing<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
    return fault === 'swallows a failed forward' ? answer.catch(() => undefined) : answer;
  }

  /** Inserts so many placeholders into each gap, as far as there is room. */
  function insert(edited: Edited, counts: Int32Array, { placeholderTokenId, maxLength }: Model): void {
    let room = maxLength - edited.tokenIds.length;
    const positions = Array.from(edited.tokenIds, (tokenId, origin) => {
      const count = Math.min(counts[origin] ?? 0, room);
      room -= count;
      const inserted = new Array<readonly [number, number]>(count).fill([placeholderTokenId, -1]);
      return [[tokenId, origin] as const, ...inserted];
    }).flat();
    edited.tokenIds = Int32Array.from(positions, ([tokenId]) => tokenId);
    edited.origins = Int32Array.from(positions, ([, origin]) => origin);
  }

  /** Puts the best tokens into the places of placeholders. */
  function fill(edited: Edited, prediction: TopKPrediction, placeholderTokenId: number): void {
    const { row, tokenIds } = edited;
    const ids =
      fault === 'takes scores that are not numbers'
        ? tokenIds.map((_, at) => prediction.tokenIds[2 * at])
        : bestCanvasTokens(prediction, tokenIds.length, placeholderTokenId).tokenIds;
    if (fault === 'shares state between decodes') shared++;
    edited.tokenIds = tokenIds.map((tokenId, at) => {
      if (tokenId !== placeholderTokenId) return tokenId;
      const filled = fault === 'shares state between decodes' && shared % 5 === 0 ? 1 : ids[at];
      if (filled === placeholderTokenId && fault !== 'outputs the placeholder') throw noTokenLeft(row, at);
      return filled;
    });
    edited.origins = Int32Array.from(tokenIds.keys());
  }

  function revision({ row, tokenIds, origins }: Edited, began: number): DecodeEvent {
    const moved = origins.subarray(1, -1).map((origin) => (origin < 0 ? -1 : origin - 1));
    const told = fault === 'tells wrong origins' ? moved.map((_, at) => at) : moved;
    return {
      type: 'canvas-revise',
      row,
      tokenIds: tokenIds.slice(1, -1),
      origins: told,
      atMs: performance.now() - began,
    };
  }

  function* report(
    { row, tokenIds: canvas }: Edited,
    { vocabulary, placeholderTokenId }: Model,
    request: DecodeRequest<TokenSource>,
    results: RowResult[],
    began: number,
  ): Generator<DecodeEvent> {
    const ignores = fault === 'ignores stops' || (fault === 'obeys stops in row 0 only' && row > 0);
    const whole = canvas
      .slice(1, -1)
      .map((id) => (id === 6 && fault === 'outputs the placeholder' ? placeholderTokenId : id));
    const { maxNewTokens, stopSequences, stopStrings } = rowCuts(
      request,
      fault === 'limits all rows as the first' ? 0 : row,
    );
    const cut = cutOutput(whole, vocabulary.endTokenId, {
      maxNewTokens: fault === 'ignores the limit' ? undefined : maxNewTokens,
      stopSequences: ignores ? undefined : stopSequences,
      stopStrings: ignores ? undefined : stopStrings,
    });
    const { tokenIds } = cut;
    const shown = fault === 'shows something else than it commits' ? tokenIds.slice(1) : tokenIds;
    const atMs = performance.now() - began;
    yield { type: 'canvas-revise', row, tokenIds: shown, origins: Int32Array.from(shown.keys()), atMs };
    if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs };
    results[row] = rowResult(row, [cut]);
  }
}
