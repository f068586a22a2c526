import { describe, expect, it } from 'vitest';
import { correctText } from '../src/index.js';
import { expectConsistent } from './consistent.js';
import { scriptedCorrector } from './scripted-corrector.js';

/** What a model makes of text in capitals: it lowers it, but for what it does not know. */
const lowering = scriptedCorrector(
  (text) =>
    text
      .replace(/\p{L}+/gu, (word) => (word === 'NASA' ? word : word.toLowerCase()))
      .replaceAll('teh', 'the')
      .replace('alot', 'a lot')
      .replace('we home', 'we went home')
      .replace(/^\p{L}/u, (letter) => letter.toUpperCase()),
  { sureness: () => 20 },
);

describe('text in capitals', () => {
  it.each([
    ['DO NOT ENTER TEH HOUSE', 'DO NOT ENTER THE HOUSE'],
    ['WE EAT ALOT OF NASA FOOD', 'WE EAT A LOT OF NASA FOOD'],
    ['THIS IS A TEST', 'THIS IS A TEST'],
    ['SAY "WE HOME"', 'SAY "WE WENT HOME"'],
    ['PROVIDED "AS IS", NOT AS TEH CAT', 'PROVIDED "AS IS", NOT AS THE CAT'],
    ['TEH, 5 - TEH', 'THE, 5 - THE'],
    ['WE EAT teh CAKE NOW', 'WE EAT the CAKE NOW'],
    ['A TEH HTTP GET GIVES a teh', 'A THE HTTP GET GIVES a the'],
  ])('stays in capitals: %j becomes %j', async (text, expected) => {
    const correction = await correctText(lowering, text, { refuse: [] });
    expectConsistent(text, correction);
    expect(correction.text).toBe(expected);
    expect(correction.leftAlone).toEqual([]);
  });

  it.each([
    ['TEH cat', 'The cat'],
    ['the cat ATE it', 'The cat ate it'],
    ['I AM here', 'I am here'],
    ['a cat, WE 5 eat', 'A cat, we 5 eat'],
  ])('is not one word alone: %j becomes %j', async (text, expected) => {
    expect((await correctText(lowering, text, { refuse: [] })).text).toBe(expected);
  });
});
