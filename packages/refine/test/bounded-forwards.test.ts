import { type CanvasModel, collect, type DecodeRequest, type Decoder, type TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { nat } from '@foretoken/one-shot';
import { easyFirst, levenshtein, maskedDiffusion, maskPredict, skeletonFirst } from '@foretoken/refine';
import {
  type CanvasScore,
  outputsOf,
  type ScriptedCanvasModel,
  SteppingClock,
  scriptedCanvasModel,
  scriptedEditModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const VOCABULARY = 6;

/** Scores that depend on the source, the position and the token before; not the end token. */
const score: CanvasScore = ([seed = 0], canvas, position) =>
  Float32Array.from({ length: VOCABULARY }, (_, tokenId) =>
    tokenId === 0 ? -9 : Math.sin(seed * 7 + position * 3 + tokenId * 5 + (canvas[position - 1] ?? 9)),
  );

const sourcesOf = (count: number): Int32Array[] => Array.from({ length: count }, (_, row) => Int32Array.of(row));

/** A model of outputs that are `longest` positions long, or some less. */
function canvasOf(longest: number): ScriptedCanvasModel {
  return scriptedCanvasModel({
    vocabularySize: VOCABULARY,
    score,
    maxLength: longest,
    lengths: ([row = 0]) => Array.from({ length: longest + 1 }, (_, length) => -((length - longest + (row % 3)) ** 2)),
  });
}

/** Cells of each fill: canvases times the longest of them. */
const cellsOf = ({ calls }: ScriptedCanvasModel): number[] =>
  calls.flatMap((call) =>
    call.call === 'fill'
      ? [call.canvases.length * Math.max(...call.canvases.map(({ tokenIds }) => tokenIds.length))]
      : [],
  );

const DECODERS: Readonly<
  Record<string, readonly [create: () => Decoder<CanvasModel<TokenSource>>, rows: number, longest: number]>
> = {
  nat: [() => nat(), 200, 50],
  'nat, length beam': [() => nat({ lengthBeam: 3 }), 80, 50],
  'nat, no repeats': [() => nat({ lengthBeam: 2, noAdjacentRepeats: true }), 80, 50],
  'mask-predict': [() => maskPredict({ iterations: 3 }), 200, 50],
  'mask-predict, length beam': [() => maskPredict({ iterations: 2, lengthBeam: 3 }), 60, 60],
  'easy-first, a row of more canvases than a forward has room for': [() => easyFirst({ iterations: 3 }), 3, 80],
  'skeleton-first': [() => skeletonFirst({ iterations: 2 }), 120, 50],
  'masked diffusion': [() => maskedDiffusion({ iterations: 3 }), 120, 50],
  'masked diffusion by entropy': [() => maskedDiffusion({ iterations: 2, order: 'entropy' }), 120, 50],
};

describe.each(Object.entries(DECODERS))('%s', (_, [create, rows, longest]) => {
  it('cuts a batch into forwards of bounded cells, and gives every row what it gets alone', async () => {
    const sources = sourcesOf(rows);
    const model = canvasOf(longest);
    const end = await collect(create().decode(model, { sources }));
    const cells = cellsOf(model);
    expect(Math.max(...cells)).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
    expect(end.statistics.forwards).toBe(cells.length);
    // As few as that: one more than what is asked takes, for each forward of a row alone.
    const all = cells.reduce((sum, cell) => sum + cell, 0);
    const alone = canvasOf(longest);
    await collect(create().decode(alone, { sources: sources.slice(0, 1) }));
    expect(cells.length).toBeLessThanOrEqual(Math.ceil(all / (0.7 * MAX_FORWARD_CELLS)) + 2 * alone.forwards);
    for (const row of [0, 1, Math.floor(rows / 2), rows - 1]) {
      const one = await collect(create().decode(canvasOf(longest), { sources: [sources[row]] }));
      expect(outputsOf(one)).toEqual([outputsOf(end)[row]]);
    }
  });
});

describe('levenshtein', () => {
  it('cuts a batch into forwards of bounded cells, and gives every row what it gets alone', async () => {
    const model = () =>
      scriptedEditModel({
        vocabularySize: 9,
        startTokenId: 7,
        endTokenId: 0,
        placeholderTokenId: 8,
        maxLength: 64,
        deletions: ([row = 0], canvas) => canvas.map((tokenId, at) => ((tokenId + at + row) % 5 === 0 ? 0.9 : 0.1)),
        placeholders: ([row = 0], canvas) =>
          Int32Array.from(canvas.subarray(1), (_, at) => (canvas.length < 40 ? 50 + (row % 5) : at % 9 === 0 ? 1 : 0)),
        score: ([row = 0], canvas, position) =>
          Float32Array.from({ length: 9 }, (_, id) =>
            id === 0 || id > 6 ? -99 : Math.sin(row * 7 + position * 3 + id * 5 + (canvas[position - 1] ?? 9)),
          ),
      });
    const sources = sourcesOf(200);
    const together = model();
    const end = await collect(levenshtein({ iterations: 3 }).decode(together, { sources }));
    const asked = together.calls.filter(({ canvases }) => canvases.length > 0);
    for (const { canvases } of asked) {
      const longest = Math.max(...canvases.map(({ tokenIds }) => tokenIds.length));
      expect(canvases.length * longest).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
    }
    expect(end.statistics.forwards).toBe(asked.length);
    expect(asked.length).toBeGreaterThan(9);
    for (const row of [0, 77, 199]) {
      const one = await collect(levenshtein({ iterations: 3 }).decode(model(), { sources: [sources[row]] }));
      expect(outputsOf(one)).toEqual([outputsOf(end)[row]]);
    }
  });
});

describe('an abort from a timer or another turn of the event loop', () => {
  const request = (signal: AbortSignal): DecodeRequest<TokenSource> => ({ sources: sourcesOf(300), signal });

  it.each(Object.entries(DECODERS))('stops %s within a forward', async (_, [create]) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const model = canvasOf(50);
    let atAbort = -1;
    setImmediate(() => {
      atAbort = model.forwards;
      controller.abort(reason);
    });
    // Every look at the clock is 30 ms later, so each step is one that has taken long.
    using _clock = new SteppingClock(30);
    await expect(collect(create().decode(model, request(controller.signal)))).rejects.toBe(reason);
    expect(atAbort).toBeGreaterThanOrEqual(0);
    expect(model.forwards - atAbort).toBeLessThanOrEqual(1);
    expect(model.stillOpen).toBe(0);
  });
});
