import { describe, expect, it } from 'vitest';
import { correctText } from '../src/index.js';
import { makesOddWord } from '../src/unlike-corrections.js';
import { scriptedCorrector, scriptedLattice } from './scripted-corrector.js';

describe('what is left alone', () => {
  it('is listed in the order of the text, whatever the reasons are', async () => {
    // A lattice is not read again under a rule, so what is refused is found last.
    const lattice = scriptedLattice((text) => text.replace('duck', 'darn').replace('x1', 'x2'));
    const model = scriptedCorrector((text) => text);
    const { leftAlone } = await correctText(model, 'A duck and x1.', { refuse: ['darn'], lattice });
    expect(leftAlone.map(({ before, reason }) => [before, reason])).toEqual([
      ['duck', 'refused'],
      ['x1', 'protected'],
    ]);
  });

  it.each(['xylo', 'Xylo', 'XYLO'])('holds a kept word, kept as %s', async (word) => {
    const model = scriptedCorrector((text) => text.replace(/xylo/gi, 'silo'));
    const { text, leftAlone } = await correctText(model, 'A xylo. A XYLO.', { keep: [word] });
    expect(text).toBe('A xylo. A XYLO.');
    expect(leftAlone.map(({ reason }) => reason)).toEqual(['protected', 'protected']);
  });
});

describe('how sure a model is', () => {
  // The token that it is doubtful of, and what the edit takes away or puts in.
  it.each([
    ['of a word that it leaves out, by the token that follows', 'a big big cat.', 'a big cat.', /^a big c?$/],
    ['of a word that it puts in, by its tokens', 'a big cat.', 'a big fat cat.', /^a big f$/],
    ['of a word that it leaves out at the end, by the end token', 'A big cat the', 'A big cat', /^A big cat$/],
    ['of what it puts at the end, by the last token', 'A cat', 'A cat.', /^A cat$/],
  ])('%s', async (_, given, corrected, doubtful) => {
    const model = scriptedCorrector(() => corrected, {
      sureness: (output) => (doubtful.test(output) ? 6 : 40),
    });
    const { edits } = await correctText(model, given);
    expect(edits).toHaveLength(1);
    // 256 other tokens have the logit 0.
    expect(edits[0].probability).toBeCloseTo(Math.exp(6) / (Math.exp(6) + 256), 4);
  });
});

describe('words that hardly any language has', () => {
  it.each([
    ['cat', 'ccat', true],
    ['the cat', 'the ccat', true],
    ['the cat', 'tthe cat', true],
    ['llama', 'llamas', false],
    ['the lama', 'the cat', false],
    ['so', 'sooo', true],
    ['sooo', 'soooo', false],
    ['cat', "cat't", true],
    ['cant', "can't", false],
  ])('%j as %j: %j', (before, after, odd) => {
    expect(makesOddWord(before, after)).toBe(odd);
  });
});
