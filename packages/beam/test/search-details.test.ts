import { beamSearch, stochasticBeam } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { RowOutput, TokenPattern } from '@foretoken/core/kit';
import { logSoftmax, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { Branch } from '../src/branch.js';
import { FinishedList, type StopSettings } from '../src/finished-list.js';
import { PhraseSet } from '../src/phrase-progress.js';

const SOURCE = Int32Array.of(3);

describe('phrase progress', () => {
  const progress = (set: PhraseSet, output: readonly number[]) =>
    output.reduce((before, tokenId) => set.after(before, tokenId), set.start);

  it('sees a phrase begun as the whole output, and one begun anew inside another', () => {
    const set = new PhraseSet([[Int32Array.of(1, 2, 3)]]);
    expect(set.start).toMatchObject({ complete: false, bank: 0, wanted: [1] });
    expect(progress(set, [1])).toMatchObject({ complete: false, bank: 1, wanted: [2, 1] });
    expect(progress(set, [1, 2])).toMatchObject({ bank: 2, wanted: [3, 1] });
    expect(progress(set, [1, 2, 1])).toMatchObject({ bank: 1, wanted: [2, 1] });
    expect(progress(set, [4])).toMatchObject({ bank: 0, wanted: [1] });
    expect(progress(set, [1, 2, 3, 4])).toMatchObject({ complete: true, bank: 3, wanted: [] });
    expect(progress(new PhraseSet([[Int32Array.of(1, 1, 2)]]), [1, 1, 1])).toMatchObject({ bank: 2, wanted: [2, 1] });
  });

  it('counts a form by what is left of the shortest', () => {
    const set = new PhraseSet([[Int32Array.of(1, 2, 3), Int32Array.of(4)]]);
    expect(progress(set, [1])).toMatchObject({ bank: 0, complete: false });
    expect(progress(set, [1, 2, 3])).toMatchObject({ bank: 1, complete: true });
    expect(progress(set, [4])).toMatchObject({ bank: 1, complete: true });
  });

  it('finds every occurrence that comparing finds', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = (index: number, below: number): number =>
        (Math.imul(seed * 64 + index + 1, 2654435761) >>> 13) % below;
      const pattern = Int32Array.from({ length: 1 + random(0, 5) }, (_, index) => random(index + 1, 2));
      const sequence = Array.from({ length: 40 }, (_, index) => random(index + 10, 2));
      const automaton = new TokenPattern(pattern);
      let standing = 0;
      for (const [at, tokenId] of sequence.entries()) {
        standing = automaton.after(standing, tokenId);
        const lengths = Array.from({ length: pattern.length + 1 }, (_, length) => length).filter(
          (length) =>
            length <= at + 1 && pattern.slice(0, length).join() === sequence.slice(at + 1 - length, at + 1).join(),
        );
        expect(standing).toBe(Math.max(...lengths));
      }
    }
  });
});

describe('a stochastic beam with rules', () => {
  it('samples from what the rules leave, as a distribution of its own', async () => {
    const logits = [0, 1, 2, 3];
    const model = scriptedModel({ vocabularySize: 4, score: () => logits });
    const decoder = stochasticBeam({ beamSize: 2, badWords: [Int32Array.of(3)] });
    const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 1, seed: 4 }));
    const left = logSoftmax(logits.slice(0, 3));
    for (const { tokenIds, logProb, finishReason } of results[0].hypotheses) {
      expect(logProb).toBeCloseTo(left[finishReason === 'end-token' ? 0 : tokenIds[0]], 5);
    }
  });
});

describe('groups', () => {
  it('pay for tokens of words, not for ending where another group ended', async () => {
    const model = scriptedModel({
      vocabularySize: 5,
      score: (_, output) => (output.length === 0 ? [1, 3, 2.9, 0, 0] : [4, 0, 0, 0, 0]),
    });
    const decoder = beamSearch({ beamSize: 2, groups: 2, hypotheses: 2, diversityPenalty: 3, lengthPenalty: 0 });
    const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 4 }));
    expect(results[0].hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual([[1], [2]]);
  });
});

describe('a list of finished hypotheses', () => {
  const output = new RowOutput(0, 10);
  const root = Branch.root(0, { prefix: Int32Array.of(1), cached: 0, node: -1 }, output);
  const branch = (logProb: number): Branch => root.grow(0, 1, logProb, output.progress);
  const settings = (stopWhen: StopSettings['stopWhen'], power: number, mayRaise = false): StopSettings => ({
    stopWhen,
    normalise: (logProb, length) => logProb / length ** power,
    longerMayWin: power > 0,
    mayRaise,
  });
  const list = new FinishedList(1);
  list.add({ branch: root, logProb: -2, score: -2, finishReason: 'end-token' });
  const suffices = (running: readonly Branch[], by: StopSettings) => list.maySuffice(running, output.bounds, 0, by);

  it('is measured against the most probable running branch, wherever it stands', () => {
    for (const stopWhen of ['improvement-unlikely', 'improvement-impossible'] as const) {
      expect(suffices([branch(-3), branch(-1)], settings(stopWhen, 0))).toBe(false);
      expect(suffices([branch(-1), branch(-3)], settings(stopWhen, 0))).toBe(false);
      expect(suffices([branch(-3), branch(-2)], settings(stopWhen, 0))).toBe(true);
    }
  });

  it('is measured at the longest length where that may win, at the shortest where it may not', () => {
    expect(suffices([branch(-15)], settings('improvement-impossible', 1))).toBe(false);
    expect(suffices([branch(-20)], settings('improvement-impossible', 1))).toBe(true);
    expect(suffices([branch(-1.5)], settings('improvement-impossible', -1))).toBe(false);
    expect(suffices([branch(-15)], settings('improvement-unlikely', 1))).toBe(true);
  });

  it('is not enough before it is full, nor where scores may rise', () => {
    expect(new FinishedList(1).maySuffice([branch(-9)], output.bounds, 0, settings('full', 0))).toBe(false);
    expect(suffices([branch(-9)], settings('improvement-impossible', 0, true))).toBe(false);
    expect(suffices([branch(-9)], settings('improvement-unlikely', 0, true))).toBe(true);
    expect(suffices([branch(0)], settings('full', 0, true))).toBe(true);
  });
});
