import type { LoadedModel } from '@foretoken/models';
import { scriptedCorrector, simpleCorrection } from '../../../packages/correction/test/scripted-corrector.js';
import { cli, fakeModel, type Surroundings, withParts } from './support.js';

/** A model that corrects as a function says. */
export function correctorModel(correct: (text: string) => string = simpleCorrection): LoadedModel {
  const { autoregressive, tokenizer } = scriptedCorrector(correct, {
    sureness: (out) => (out.endsWith('wo') ? 6 : 12),
  });
  const model = { ...fakeModel(), tokenizer: { ...tokenizer, countUnknown: () => 0 } };
  return withParts(model, { autoregressive, ctc: undefined });
}

/** Runs `foretoken correct` with it. */
export const correct = (argv: readonly string[], surroundings: Surroundings = {}) =>
  cli(['correct', ...argv], { model: correctorModel(), ...surroundings });
