import { type CanvasModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { canvasDisagreement, nat } from '@foretoken/one-shot';
import { maskedDiffusion, maskPredict } from '@foretoken/refine';
import { randomCanvasScore, type ScriptedCanvasModel, scriptedCanvasModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const SOURCES = [Int32Array.of(3, 4)];

function modelWith(maxCandidates: number, vocabularySize = 9): ScriptedCanvasModel {
  const score = randomCanvasScore({ seed: 4, vocabularySize, never: [0, vocabularySize - 1] });
  return scriptedCanvasModel({ vocabularySize, score, supports: { maxCandidates } });
}

const needing: readonly (readonly [number, Decoder<CanvasModel<TokenSource>>])[] = [
  [2, nat({ length: 4 })],
  [4, nat({ length: 4, noAdjacentRepeats: true })],
  [2, maskPredict({ length: 4 })],
  [2, maskedDiffusion({ length: 4 })],
  [3, maskedDiffusion({ length: 4, order: 'margin' })],
  [0, maskedDiffusion({ length: 4, order: 'entropy' })],
];

describe('candidates of a position', () => {
  it.each(needing)('are needed, %i of them, before anything is computed', async (candidates, decoder) => {
    expect(decoder.requires).toMatchObject({ candidates });
    const enough = modelWith(candidates);
    expect((await collect(decoder.decode(enough, { sources: SOURCES }))).results).toHaveLength(1);
    if (candidates === 0) return;
    const few = modelWith(candidates - 1);
    await expect(collect(decoder.decode(few, { sources: SOURCES }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: `${decoder.name} needs ${candidates} candidates a position, which this model does not offer. It returns at most ${candidates - 1}.`,
    });
    expect(few.calls).toEqual([]);
  });

  it('are no more than the vocabulary has', async () => {
    // One token and the mask, besides the end token.
    const model = modelWith(3, 3);
    const decoder = nat({ length: 1, noAdjacentRepeats: true });
    expect((await collect(decoder.decode(model, { sources: SOURCES }))).results).toHaveLength(1);
    expect(model.calls).toContainEqual(expect.objectContaining({ call: 'fill', output: { kind: 'topK', k: 3 } }));
  });

  it('are looked at where outputs are judged', async () => {
    const judged = canvasDisagreement(modelWith(1), SOURCES, [Int32Array.of(2)]);
    await expect(judged).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });

  it('have the type of what was asked for', async () => {
    await using session = await modelWith(9).open(SOURCES);
    const canvases = [{ row: 0, tokenIds: Int32Array.of(8, 8) }];
    const [best] = await session.fill(canvases, { kind: 'topK', k: 2 });
    const pairs: number = best.tokenIds.length + best.logProbs.length + best.k;
    const [all] = await session.fill(canvases, { kind: 'logProbs' });
    // @ts-expect-error Whoever asks for all log-probabilities gets no candidates.
    expect(all.tokenIds).toBeUndefined();
    const cells: number = all.logProbs.length;
    const [{ logits }] = await session.fill(canvases, { kind: 'logits' });
    const [{ tokenIds }] = await session.fill(canvases, { kind: 'argmax' });
    expect([pairs, cells, logits.length, tokenIds.length]).toEqual([10, 18, 18, 2]);
  });
});
