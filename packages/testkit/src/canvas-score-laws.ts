import { type DecodeEndEvent, ForetokenError, type TokenSource } from '@foretoken/core';
import assert from './assert.js';
import { END, MASK, MAX_LENGTH, modelOf, onlyOf, SOURCES, TWO_OR_MORE, VOCABULARY } from './canvas-suite.js';
import { errorAt } from './laws.js';
import { randomLogits } from './random-logits.js';
import type { Runner } from './runner.js';
import { randomCanvasScore, type ScriptedCanvasModel } from './scripted-canvas.js';

/** The laws of what decoders of canvas models make of scores; part of `canvasConformance`. */
export function canvasScoreLaws(
  runner: Runner,
  seeds: readonly number[],
  decode: (model: ScriptedCanvasModel) => Promise<DecodeEndEvent>,
): void {
  runner.it('refuses scores that are NaN or +Infinity by code, naming row and position', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const sound = randomCanvasScore({ seed: 1, vocabularySize: VOCABULARY });
      const broken = modelOf(1, {
        score: (source, canvas, position) => {
          const scores = Float32Array.from(sound(source, canvas, position));
          if (source === SOURCES[2] && position === 1) scores[3] = bad;
          return scores;
        },
        lengths: (source) => (source === SOURCES[2] ? TWO_OR_MORE : [0, 0, 0, 9]),
      });
      await assert.rejects(() => decode(broken), errorAt('INVALID_SCORES', 2, 1));
      assert.equal(broken.stillOpen, 0, 'a failure releases everything');
    }
  });

  runner.it('outputs no token of probability 0, and ends by code where no other is possible', async () => {
    const nothing = modelOf(1, {
      score: () => onlyOf([MASK]),
      lengths: () => TWO_OR_MORE,
    });
    await assert.rejects(() => decode(nothing), errorAt('UNSATISFIABLE_CONSTRAINT', 0, 0));
    assert.equal(nothing.stillOpen, 0, 'a failure releases everything');
    for (const seed of seeds) {
      const chance = randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: -1, sharpness: 1 });
      const possible = (source: TokenSource, position: number): number[] => {
        const chances = chance(source, [position]);
        // The mask is always possible, and more probable than all else.
        return [...SOURCES.keys(), 4, 5, 6, MASK].filter((id) => id === MASK || chances[id] < 0.4);
      };
      const model = modelOf(seed, { score: (source, _, position) => onlyOf(possible(source, position)) });
      /** Whether the model had to decide a position. */
      const decided = (row: number, position: number): boolean =>
        model.calls.some(
          (call) =>
            call.call === 'fill' &&
            call.canvases.some((canvas) => canvas.row === row && canvas.tokenIds[position] === MASK),
        );
      try {
        const { results } = await decode(model);
        for (const [row, { hypotheses }] of results.entries()) {
          const { tokenIds, finishReason } = hypotheses[0];
          // A decoder may leave positions out, as one does that collapses repeats.
          let at = 0;
          for (const [position, tokenId] of [...tokenIds, ...(finishReason === 'end-token' ? [END] : [])].entries()) {
            const source = SOURCES[row];
            while (decided(row, position) && at < MAX_LENGTH && !possible(source, at).includes(tokenId)) at++;
            assert.ok(at++ < MAX_LENGTH, `token ${tokenId} of probability 0 at position ${position}`);
          }
        }
      } catch (error) {
        if (!ForetokenError.isInstance(error)) throw error;
        assert.equal(error.code, 'UNSATISFIABLE_CONSTRAINT');
        assert.equal(model.stillOpen, 0, 'a failure releases everything');
      }
    }
  });
}
