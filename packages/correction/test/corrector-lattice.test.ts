import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, correctText, createCorrector } from '../src/index.js';
import { expectConsistent } from './consistent.js';
import { scriptedCorrector, scriptedLattice, simpleCorrection } from './scripted-corrector.js';

describe('a lattice in place of the autoregressive model', () => {
  const silent = scriptedCorrector(() => {
    throw new Error('asked');
  });

  it('is read in one forward a piece, under the same rules', async () => {
    const lattice = scriptedLattice((text) => simpleCorrection(text).replace('x1', 'x2'));
    const text = 'teh cat likes alot of x1\n- teh wrold';
    const correction = await correctText(silent, text, { lattice });
    expectConsistent(text, correction);
    expect(correction.text).toBe('The cat likes a lot of x1.\n- The world');
    expect(correction.leftAlone).toMatchObject([{ before: 'x1', after: 'x2', reason: 'protected' }]);
    expect(correction.statistics).toMatchObject({ forwards: 2 });
  });

  it('leaves more doubtful edits alone unless it is told otherwise', async () => {
    const lattice = scriptedLattice(simpleCorrection, (output) => (output.endsWith('wo') ? 0.6 : 0.99));
    const { text, leftAlone } = await correctText(silent, 'teh cat wrold', { lattice });
    expect(text).toBe('The cat wrold.');
    expect(leftAlone).toMatchObject([{ before: 'wrold', reason: 'doubtful' }]);
    expect((await correctText(silent, 'teh cat wrold', { lattice, minConfidence: 0.5 })).text).toBe('The cat world.');
  });

  it('brings in no refused word, and leaves what it cannot read', async () => {
    const lattice = scriptedLattice((text) => text.replace('duck', 'darn').replace('teh', 'the'));
    const refuse = ['darn'];
    const { text, leftAlone } = await correctText(silent, 'teh duck', { lattice, refuse });
    expect(text).toBe('the duck');
    expect(leftAlone).toMatchObject([{ before: 'duck', after: 'darn', reason: 'refused' }]);
    const long = 'y'.repeat(600);
    expect((await correctText(silent, `teh ${long}`, { lattice })).text).toBe(`the ${long}`);
  });

  it('says of a piece that it cannot read that it is too long', async () => {
    const lattice = scriptedLattice(simpleCorrection);
    // Words of which each can be read, and no two together.
    const { tokenizer } = silent;
    const short: typeof tokenizer = {
      ...tokenizer,
      encode: (text) => {
        if (text.trim().includes(' ')) throw new ForetokenError('SOURCE_TOO_LONG', 'Too long.');
        return tokenizer.encode(text);
      },
    };
    const { text, leftAlone } = await correctText({ ...silent, tokenizer: short }, 'teh cat', { lattice });
    expect(text).toBe('teh cat');
    expect(leftAlone).toMatchObject([{ before: 'teh cat', after: 'teh cat', probability: 0, reason: 'too-long' }]);
  });

  it('takes no drafter, and is a CTC model of the vocabulary', () => {
    const lattice = scriptedLattice(simpleCorrection);
    for (const [options, code] of [
      [{ lattice, drafter: 'none' }, 'INVALID_ARGUMENT'],
      [{ lattice: { ...lattice, vocabulary: { size: 5, endTokenId: 1 } } }, 'INVALID_ARGUMENT'],
      [{ lattice: { ...lattice, supports: { kind: 'dag', maxCandidates: 1 } } }, 'UNSUPPORTED_CAPABILITY'],
      [{ lattice: silent.autoregressive }, 'UNSUPPORTED_CAPABILITY'],
    ] as const) {
      expect(() => createCorrector(silent, options as unknown as CorrectorOptions)).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });
});
