import { describe, expect, it } from 'vitest';
import type { Proposal } from '../src/edits.js';
import { correctText } from '../src/index.js';
import { RefusedWords } from '../src/refused-words.js';
import { withoutRefused } from '../src/without-refused.js';
import { finished } from './finished.js';
import { scriptedCorrector } from './scripted-corrector.js';

function edit(text: string, before: string, after: string): Proposal {
  const start = text.indexOf(before);
  const part = { start, end: start + before.length, after };
  return { ...part, before, probability: 0.9, parts: [part], clarity: 1 };
}

describe('edits that bring in a word that must not come in', () => {
  it('are taken back, and no others', () => {
    const text = 'teh cat had rde rum and alot of milk';
    const proposals = [edit(text, 'teh', 'the'), edit(text, 'rde', 'red'), edit(text, 'alot', 'a lot')];
    const { made, refused } = finished(withoutRefused(text, proposals, finished(RefusedWords.of(['red rum']))));
    expect([made, refused].map((edits) => edits.map(({ after }) => after))).toEqual([['the', 'a lot'], ['red']]);
  });

  it('leave the word before them where half of a character follows', () => {
    const words = finished(RefusedWords.of(['darn']));
    const tokens = ['', 'darn', '\uFFFD', ' '];
    const { start, next, allowed } = finished(words.constraint('', tokens, { size: 4, endTokenId: 0 }));
    // What the half belongs to may be a letter, as in "darné"; a space ends the word, and so does the end.
    expect([...allowed(next(start(0), 1))]).toEqual([0, 1, 1, 0]);
  });

  it('and what a rule makes of them only where the model is sure of it', async () => {
    const model = scriptedCorrector((text) => text.replace('dran', 'darn').replace('teh', 'the'), {
      sureness: (output) => (output === 'We saw ' ? 5.3 : 12),
    });
    const made = async (text: string): Promise<string> => (await correctText(model, text, { refuse: ['darn'] })).text;
    expect(await made('We saw teh old dran thing there.')).toBe('We saw teh old dran thing there.');
    expect(await made('We saw teh old thing there.')).toBe('We saw the old thing there.');
    expect(await made('We see teh old dran thing there.')).toBe('We see the old dran thing there.');
  });
});
