import type {
  DecodeEvent,
  DecodeRequest,
  Decoder,
  EditModel,
  EditSession,
  RowResult,
  TokenSource,
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

/** One row: its canvas, boundaries included, and how many insertions it has had. */
interface Edited {
  readonly row: number;
  tokenIds: Int32Array;
  origins: Int32Array;
  rounds: number;
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
    const { startTokenId, placeholderTokenId, vocabulary, maxLength } = model;
    const signal = fault === 'computes after an abort' ? undefined : request.signal;
    const yielder = new Yielder(signal);
    const rows = request.sources.map(
      (_, row): Edited => ({
        row,
        tokenIds: Int32Array.of(startTokenId, vocabulary.endTokenId),
        origins: new Int32Array(),
        rounds: 0,
      }),
    );
    const results: RowResult[] = [];
    let forwards = 0;
    let open: readonly Edited[] = rows;
    while (open.length > 0) {
      if (yielder.due()) await yielder.yield();
      signal?.throwIfAborted();
      const asked = fault === 'asks about finished rows' ? rows : open;
      const counts = await session.placeholders(asked, signal).catch((error: unknown) => {
        if (fault !== 'swallows a failed forward') throw error;
        return asked.map(({ tokenIds }) => new Int32Array(tokenIds.length - 1));
      });
      forwards++;
      for (const [index, edited] of asked.entries()) {
        if (!open.includes(edited)) continue;
        const old = edited.tokenIds;
        let room = maxLength - old.length;
        const ids: number[] = [];
        const origins: number[] = [];
        for (const [position, tokenId] of old.entries()) {
          ids.push(tokenId);
          origins.push(position);
          const count = Math.min(counts[index]?.[position] ?? 0, room);
          room -= count;
          for (let more = 0; more < count; more++) ids.push(placeholderTokenId);
          for (let more = 0; more < count; more++) origins.push(-1);
        }
        edited.tokenIds = Int32Array.from(ids);
        edited.origins = Int32Array.from(origins);
      }
      const due = open.filter(({ tokenIds }) => tokenIds.includes(placeholderTokenId));
      for (const edited of due) yield revision(edited, began);
      if (due.length > 0) {
        signal?.throwIfAborted();
        const predictions = await session.fill(due, { kind: 'topK', k: 2 }, signal).catch((error: unknown) => {
          if (fault !== 'swallows a failed forward') throw error;
          return [];
        });
        forwards++;
        for (const [index, edited] of due.entries()) {
          const prediction = predictions[index];
          if (prediction === undefined) continue;
          const ids =
            fault === 'takes scores that are not numbers'
              ? edited.tokenIds.map((_, at) => prediction.tokenIds[2 * at])
              : bestCanvasTokens(prediction, edited.tokenIds.length, placeholderTokenId).tokenIds;
          if (fault === 'shares state between decodes') shared++;
          edited.tokenIds = edited.tokenIds.map((tokenId, at) => {
            if (tokenId !== placeholderTokenId) return tokenId;
            const filled = fault === 'shares state between decodes' && shared % 5 === 0 ? 1 : ids[at];
            if (filled === placeholderTokenId && fault !== 'outputs the placeholder') throw noTokenLeft(edited.row, at);
            return filled;
          });
          edited.origins = edited.tokenIds.map((_, at) => at);
          yield revision(edited, began);
        }
      }
      const over = open.filter((edited) => ++edited.rounds === 2 || edited.tokenIds.length > 5);
      open = open.filter((edited) => !over.includes(edited));
      for (const edited of over) yield* report(edited, model, request, results, began);
    }
    yield decodeEnd(results, began, { forwards: fault === 'counts too few forwards' ? forwards - 1 : forwards });
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
