import { fileURLToPath } from 'node:url';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FOREIGN, foreignNote, strangeness } from '../src/foreign-text.js';
import { cli, fakeModel } from './support.js';

const shipped = fileURLToPath(new URL('../../../packages/model-multi30k-en-de/model', import.meta.url));

describe('how strange text is', () => {
  it('is 1.5 for lines like captions, and grows with tokens a word and with surprise', () => {
    const usual = { tokensPerWord: 1.25, surprise: 0.126 };
    expect(strangeness([usual])).toBeCloseTo(1.5);
    expect(strangeness([{ ...usual, tokensPerWord: 4 }])).toBeGreaterThan(FOREIGN);
    expect(strangeness([{ ...usual, surprise: 0.7 }])).toBeGreaterThan(FOREIGN);
    expect(strangeness([usual, { tokensPerWord: 4, surprise: 0.126 }])).toBeLessThan(FOREIGN);
    expect(foreignNote([])).toBeUndefined();
    expect(foreignNote([usual])).toBeUndefined();
  });
});

describe('foretoken decode with the default model', () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(shipped, { threads: 1 });
  });
  afterAll(() => model.dispose());

  const decode = (...argv: string[]) =>
    cli(['decode', ...argv], {
      // The command disposes of what it loads; this one is used again.
      services: { loadModel: async () => ({ ...model, [Symbol.asyncDispose]: async () => {} }) },
    });

  it('says nothing about captions', async () => {
    const { stderr, code } = await decode('Two dogs are running through the snow.', 'A man is riding a bicycle.');
    expect([code, stderr]).toEqual([0, '']);
  });

  it.each([['greedy'], ['ctc'], ['speculative']])('says so in words about other text, with %s', async (strategy) => {
    const text = 'Distributed transactions require idempotent acknowledgement semantics.';
    const { stdout, stderr, code } = await decode('--strategy', strategy, text);
    expect([code, stdout.split('\n').length]).toEqual([0, 2]);
    expect(stderr).toMatch(/^note: The default model translates short English descriptions of pictures\./);
    expect((await decode('--quiet', text)).stderr).toBe('');
    // Of another model nothing is known.
    expect((await decode('--model', 'mine', text)).stderr).toBe('');
  });

  it('says so once, after ten lines', async () => {
    const text = 'Distributed transactions require idempotent acknowledgement semantics.';
    const { stderr } = await decode(...Array.from({ length: 12 }, () => text));
    expect(stderr.match(/note:/g)).toHaveLength(1);
  });

  it('asks nothing of a model that does not tell probabilities', async () => {
    expect((await cli(['decode', 'a dog'], { model: fakeModel() })).stderr).toBe('');
  });
});
