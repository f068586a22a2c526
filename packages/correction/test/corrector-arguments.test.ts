import { ForetokenError } from '@foretoken/core';
import { ngramDrafter } from '@foretoken/speculative';
import { describe, expect, it } from 'vitest';
import { type CorrectorOptions, correctText, createCorrector } from '../src/index.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);

describe('bad arguments', () => {
  it.each([undefined, null, 7, ['text']])('a text that is %j', async (text) => {
    await expect(correctText(simple, text as unknown as string)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    { minConfidence: 2 },
    { minConfidence: Number.NaN },
    { maxNodes: 0 },
    { refuse: 'word' },
    { drafter: 'copy' },
    { confidence: 1 },
  ])('options %j', (options) => {
    expect(() => createCorrector(simple, options as CorrectorOptions)).toThrow(ForetokenError);
  });

  it.each([
    ['code.holds', { code: { holds: async () => false } }],
    ['code.holds', { code: { holds: () => 'no' } }],
    ['code.holds', { code: { holds: () => Promise.reject(new Error('rejected')) } }],
  ])('what %s returns', async (name, options) => {
    await expect(correctText(simple, 'teh cat', options as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`What ${name} returns`),
    });
  });

  it.each(['encode', 'decode', 'tokenText'])('what %s of a tokenizer returns', async (name) => {
    for (const odd of [undefined, 7, [1], 'promise']) {
      const answer = () => (odd === 'promise' ? Promise.reject(new Error('rejected')) : odd);
      const model = { ...simple, tokenizer: { ...simple.tokenizer, [name]: answer } };
      await expect(correctText(model, 'teh cat')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^What .*returns must be/),
      });
    }
  });

  it('a model without an autoregressive part, a drafter of another vocabulary, an aborted signal', async () => {
    const { tokenizer } = simple;
    const part = (): never => {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This folder has no autoregressive model.', {});
    };
    expect(() => createCorrector({ part, tokenizer })).toThrow('This folder has no autoregressive model.');
    for (const model of [{ tokenizer }, undefined, null, 'a path']) {
      expect(() => createCorrector(model as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const drafter = ngramDrafter({ vocabulary: { size: 3, endTokenId: 0 } });
    await expect(correctText(simple, 'teh cat', { drafter })).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
    const reason = new Error('enough');
    await expect(correctText(simple, 'teh cat', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
