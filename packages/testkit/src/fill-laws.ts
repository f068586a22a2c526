import type { Canvas, CanvasPrediction, OutputKind, OutputRequest } from '@foretoken/core';
import assert from './assert.js';
import { assertCode, rejectsWith } from './laws.js';
import { assertRanked, assertSameScores } from './model-suite.js';
import { logSoftmax } from './scripted-model.js';

/** The part of a session that fills canvases, of canvas models and edit models alike. */
export interface Fills extends AsyncDisposable {
  fill(canvases: readonly Canvas[], output: OutputRequest, signal?: AbortSignal): Promise<CanvasPrediction[]>;
}

const KINDS = ['logits', 'logProbs', 'topK', 'argmax'] as const;

/** What is checked of a session's `fill`. */
export interface FillLaws {
  /** Opens a session of as many rows as `canvases` names. */
  readonly open: () => Promise<Fills>;
  /** Canvases that may be filled, of different rows and lengths. */
  readonly canvases: readonly Canvas[];
  readonly outputs: readonly OutputKind[];
  readonly vocabularySize: number;
  readonly tolerance: number;
}

export const requestOf = (kind: OutputKind): OutputRequest => (kind === 'topK' ? { kind, k: 2 } : { kind });

/** The request that says most of those that a model answers. */
export function fullestOf(outputs: readonly OutputKind[]): OutputRequest {
  const kind = KINDS.find((one) => outputs.includes(one));
  assert.ok(kind !== undefined, 'a model offers an output');
  return requestOf(kind);
}

/** Natural-log probabilities of a prediction, or its tokens where there are none. */
export function scoresOf({ logProbs, logits, tokenIds }: CanvasPrediction): ArrayLike<number> {
  return logProbs ?? logits ?? tokenIds ?? [];
}

/** A canvas is filled as it is alone, whatever is beside it; answers are in the order of the canvases, which stay as they are. */
export async function assertFills({ open, canvases, outputs, tolerance, vocabularySize }: FillLaws): Promise<void> {
  const output = fullestOf(outputs);
  // One comes twice: a canvas is not known by its row.
  const asked = [...canvases, canvases[0]];
  const before = structuredClone(asked);
  await using together = await open();
  const predictions = await together.fill(asked, output);
  assert.deepEqual(asked, before, 'canvases are read only');
  assert.equal(predictions.length, asked.length, 'there is one prediction a canvas');
  for (const [index, prediction] of predictions.entries()) {
    const { row, tokenIds } = asked[index];
    assert.equal(prediction.row, row, 'predictions are in the order of the canvases');
    const width = output.kind === 'topK' ? output.k : output.kind === 'argmax' ? 1 : vocabularySize;
    assert.equal(scoresOf(prediction).length, tokenIds.length * width, 'every position is predicted');
    await using apart = await open();
    const [alone] = await apart.fill([asked[index]], output);
    assertSameScores(scoresOf(prediction), scoresOf(alone), tolerance, `canvas ${index} beside others`);
  }
}

/** Kinds of output that are not offered are refused by code. */
export async function assertOthersRefused({ open, canvases, outputs }: FillLaws): Promise<void> {
  await using session = await open();
  for (const kind of KINDS) {
    if (outputs.includes(kind)) continue;
    await assertCode(async () => session.fill(canvases, requestOf(kind)), 'UNSUPPORTED_CAPABILITY');
  }
}

/** Each kind of output says what the others say. */
export async function assertKinds({ open, canvases, outputs, vocabularySize, tolerance }: FillLaws): Promise<void> {
  const near = Math.max(tolerance, 1e-4);
  await using session = await open();
  const said = new Map<OutputKind, CanvasPrediction[]>();
  for (const kind of outputs) said.set(kind, await session.fill(canvases, requestOf(kind)));
  for (const [index, { tokenIds }] of canvases.entries()) {
    const logits = said.get('logits')?.[index].logits;
    const { logProbs } = said.get('logProbs')?.[index] ?? {};
    const { tokenIds: best } = said.get('argmax')?.[index] ?? {};
    const top = said.get('topK')?.[index];
    if (top !== undefined) {
      assertRanked(
        top.tokenIds ?? [],
        top.logProbs ?? [],
        2,
        (id) => Number.isInteger(id) && id >= 0 && id < vocabularySize,
      );
      assert.equal(top.tokenIds?.length, 2 * tokenIds.length, 'there are k candidates a position');
    }
    for (const position of tokenIds.keys()) {
      const row = (values: Float32Array): Float32Array =>
        values.subarray(position * vocabularySize, (position + 1) * vocabularySize);
      const full = logProbs !== undefined ? row(logProbs) : logits !== undefined ? logSoftmax(row(logits)) : undefined;
      if (full === undefined) continue;
      if (logits !== undefined)
        assertSameScores(full, logSoftmax(row(logits)), near, 'log-probabilities are scores less their normaliser');
      const mass = full.reduce((sum, value) => sum + Math.exp(value), 0);
      assert.ok(Math.abs(mass - 1) < 1e-3, `probabilities of a position add up to 1, not ${mass}`);
      const highest = Math.max(...full);
      if (best !== undefined)
        assert.ok(full[best[position]] >= highest - near, 'argmax is the token with the highest score');
      for (const rank of [0, 1]) {
        const id = top?.tokenIds?.[2 * position + rank];
        if (id === undefined) continue;
        assertSameScores(
          [top?.logProbs?.[2 * position + rank] ?? 0],
          [full[id]],
          near,
          'candidates have their log-probabilities',
        );
        const better = full.filter((value) => value > full[id] + near).length;
        assert.ok(better <= rank, 'candidates are the best');
      }
    }
  }
}

/** Canvases that cannot be filled are refused by code, an abort is answered with its reason, and the session goes on. */
export async function assertRefusals(
  { open, canvases, outputs, vocabularySize, tolerance }: FillLaws,
  bad: readonly (readonly [Canvas, 'INVALID_ARGUMENT' | 'LENGTH_LIMIT'])[],
): Promise<void> {
  const output = fullestOf(outputs);
  await using session = await open();
  const expected = await session.fill(canvases, output);
  await assertCode(async () => session.fill([], output), 'INVALID_ARGUMENT');
  const [{ row, tokenIds }] = canvases;
  const outside = tokenIds.slice();
  outside[1] = vocabularySize;
  const rows = Math.max(...canvases.map((canvas) => canvas.row)) + 1;
  const always = [
    [{ row, tokenIds: outside }, 'INVALID_ARGUMENT'],
    [{ row: rows, tokenIds }, 'INVALID_ARGUMENT'],
    [{ row: -1, tokenIds }, 'INVALID_ARGUMENT'],
  ] as const;
  for (const [canvas, code] of [...always, ...bad]) {
    await assertCode(async () => session.fill([canvases[0], canvas], output), code);
  }
  const reason = new Error('enough');
  assert.ok(await rejectsWith(async () => session.fill(canvases, output, AbortSignal.abort(reason)), reason));
  const again = await session.fill(canvases, output);
  for (const [index, prediction] of again.entries()) {
    assertSameScores(scoresOf(prediction), scoresOf(expected[index]), tolerance, 'nothing has changed');
  }
}

/** A session that was disposed of answers nothing, others of the same model go on; disposing twice is no fault. */
export async function assertDisposal({ open, canvases, outputs, tolerance }: FillLaws): Promise<void> {
  const output = fullestOf(outputs);
  await using other = await open();
  const session = await open();
  const expected = await other.fill(canvases, output);
  const running = session.fill(canvases, output);
  const [first] = await Promise.all([running, other.fill(canvases, output)]);
  for (const [index, prediction] of first.entries()) {
    assertSameScores(
      scoresOf(prediction),
      scoresOf(expected[index]),
      tolerance,
      'sessions do not influence one another',
    );
  }
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  await assertCode(async () => session.fill(canvases, output), 'DISPOSED');
  const after = await other.fill(canvases, output);
  for (const [index, prediction] of after.entries()) {
    assertSameScores(scoresOf(prediction), scoresOf(expected[index]), tolerance, 'other sessions go on');
  }
}
