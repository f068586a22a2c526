import type { Canvas, CanvasPrediction, CanvasSession, OutputKind, OutputRequest } from '@foretoken/core';
import assert from './assert.js';
import { assertCode, rejectsWith } from './laws.js';
import { assertRanked, assertSameScores } from './model-suite.js';
import { logSoftmax } from './scripted-scores.js';

/** The part of a session that fills canvases, of canvas models and edit models alike. */
export type Fills = AsyncDisposable & Pick<CanvasSession, 'fill'>;

const KINDS = ['logits', 'logProbs', 'topK', 'argmax'] as const;

/** What is checked of a session's `fill`. */
export interface FillLaws {
  /** Opens a session of as many rows as `canvases` names. */
  readonly open: () => Promise<Fills>;
  /** Canvases that may be filled, of different rows and lengths. */
  readonly canvases: readonly Canvas[];
  readonly outputs: readonly OutputKind[];
  /** Where the model says it: no more candidates than these are given. */
  readonly maxCandidates?: number | undefined;
  readonly vocabularySize: number;
  readonly tolerance: number;
}

const requestOf = (kind: OutputKind): OutputRequest => (kind === 'topK' ? { kind, k: 2 } : { kind });

/** The request that says most of those that a model answers. */
export function fullestOf(outputs: readonly OutputKind[]): OutputRequest {
  const kind = KINDS.find((one) => outputs.includes(one));
  assert.ok(kind !== undefined, 'a model offers an output');
  return requestOf(kind);
}

/** Natural-log probabilities of a prediction, or its tokens where there are none. */
export function scoresOf(prediction: CanvasPrediction): ArrayLike<number> {
  if ('logProbs' in prediction) return prediction.logProbs;
  return prediction.kind === 'logits' ? prediction.logits : prediction.tokenIds;
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
  const kept = structuredClone(predictions);
  await together.fill([...asked].reverse(), output);
  assert.deepEqual(predictions, kept, 'arrays are given away');
  for (const [index, prediction] of predictions.entries()) {
    const { row, tokenIds } = asked[index];
    assert.equal(prediction.row, row, 'predictions are in the order of the canvases');
    assert.equal(prediction.kind, output.kind, 'predictions say of what kind they are');
    const width = output.kind === 'topK' ? output.k : output.kind === 'argmax' ? 1 : vocabularySize;
    assert.equal(scoresOf(prediction).length, tokenIds.length * width, 'every position is predicted');
    await using apart = await open();
    const [alone] = await apart.fill([asked[index]], output);
    assertSameScores(scoresOf(prediction), scoresOf(alone), tolerance, `canvas ${index} beside others`);
  }
}

/** Kinds of output that are not offered, hidden states and more candidates than there are, are refused by code. */
export async function assertOthersRefused({ open, canvases, outputs, maxCandidates }: FillLaws): Promise<void> {
  await using session = await open();
  for (const kind of KINDS) {
    if (outputs.includes(kind)) continue;
    await assertCode(async () => session.fill(canvases, requestOf(kind)), 'UNSUPPORTED_CAPABILITY');
  }
  const states = { ...fullestOf(outputs), states: true };
  await assertCode(async () => session.fill(canvases, states), 'UNSUPPORTED_CAPABILITY');
  if (!outputs.includes('topK')) return;
  for (const k of [undefined, 0, 1.5, (maxCandidates ?? Number.MAX_SAFE_INTEGER - 1) + 1]) {
    await assertCode(async () => session.fill(canvases, { kind: 'topK', k } as never), 'INVALID_ARGUMENT');
  }
  if (maxCandidates === undefined) return;
  const all = await session.fill(canvases, { kind: 'topK', k: maxCandidates });
  for (const [index, { k, tokenIds }] of all.entries()) {
    assert.equal(k, maxCandidates, 'as many candidates are given as the model says it has');
    assert.equal(tokenIds.length, k * canvases[index].tokenIds.length, 'there are k candidates a position');
  }
}

/** Each kind of output says what the others say. */
export async function assertKinds({ open, canvases, outputs, vocabularySize, tolerance }: FillLaws): Promise<void> {
  const near = Math.max(tolerance, 1e-4);
  await using session = await open();
  async function said<const Output extends OutputRequest>(
    output: Output,
  ): Promise<readonly CanvasPrediction<Output>[] | undefined> {
    return outputs.includes(output.kind) ? session.fill(canvases, output) : undefined;
  }
  const allLogits = await said({ kind: 'logits' });
  const allLogProbs = await said({ kind: 'logProbs' });
  const allBest = await said({ kind: 'argmax' });
  const allTop = await said({ kind: 'topK', k: 2 });
  for (const [index, { tokenIds }] of canvases.entries()) {
    const logits = allLogits?.[index].logits;
    const logProbs = allLogProbs?.[index].logProbs;
    const best = allBest?.[index].tokenIds;
    const top = allTop?.[index];
    if (top !== undefined) {
      assertRanked(top.tokenIds, top.logProbs, 2, (id) => Number.isInteger(id) && id >= 0 && id < vocabularySize);
      assert.equal(top.tokenIds.length, 2 * tokenIds.length, 'there are k candidates a position');
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
        if (top === undefined) continue;
        const at = 2 * position + rank;
        const id = top.tokenIds[at];
        assertSameScores([top.logProbs[at]], [full[id]], near, 'candidates have their log-probabilities');
        const better = full.filter((value) => value > full[id] + near).length;
        assert.ok(better <= rank, 'candidates are the best');
      }
    }
  }
}

/** Longer canvases take too long to be filled in a test. */
const LONGEST = 512;

/** A canvas is as long as it may be: it can be filled to its last position. */
export async function assertLongest({ open, outputs }: FillLaws, canvas: Canvas): Promise<void> {
  const { length } = canvas.tokenIds;
  if (length > LONGEST) return;
  await using session = await open();
  const [{ row }] = await session.fill([canvas], fullestOf(outputs));
  assert.equal(row, canvas.row, `a canvas of ${length} positions, the most there may be, is filled`);
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
  for (const wrong of [null, { ...output, state: true }, { ...output, states: 1 }]) {
    await assertCode(async () => session.fill(canvases, wrong as never), 'INVALID_ARGUMENT');
  }
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
