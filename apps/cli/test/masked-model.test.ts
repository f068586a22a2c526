import { describe, expect, it } from 'vitest';
import { decode } from './decode-arguments.js';
import { maskedLanguageModel } from './students.js';
import { cli } from './support.js';

describe('a masked language model', () => {
  it('goes on from the text, which is part of the output', async () => {
    const model = maskedLanguageModel();
    const { code, stdout } = await cli(
      ['decode', '--strategy', 'masked-diffusion', '--length', '5', '--text', 'man sits'],
      { model },
    );
    expect([code, stdout]).toEqual([0, 'Mann sitzt läuft auf Gras\n']);
  });

  it.each([
    ['masked-diffusion', 'predicted lengths'],
    ['greedy', 'It has a canvas model;'],
    ['ctc', 'It has a canvas model;'],
    ['levenshtein', 'It has a canvas model;'],
  ])('refuses %s without what it needs', async (strategy, message) => {
    const { code, stderr } = await cli(decode(strategy), { model: maskedLanguageModel() });
    expect(code).toBe(2);
    expect(stderr).toContain('error UNSUPPORTED_CAPABILITY');
    expect(stderr).toContain(message);
  });

  it('says which line is longer than the canvas', async () => {
    const argv = ['decode', '--strategy', 'masked-diffusion', '--length', '2'];
    const { code, stdout, stderr } = await cli(argv, { stdin: 'a dog runs\na\n', model: maskedLanguageModel() });
    expect([code, stdout]).toEqual([1, '\nein Hund\n']);
    expect(stderr).toContain('error LENGTH_LIMIT: Line 1:');
  });

  it('has nothing to race', async () => {
    const { code, stderr } = await cli(['race', '--text', 'a dog'], { model: maskedLanguageModel() });
    expect(code).toBe(2);
    expect(stderr).toContain('error UNSUPPORTED_CAPABILITY');
  });
});
