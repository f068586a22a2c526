import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correctText } from '../src/index.js';
import { RefusedWords } from '../src/refused-words.js';
import { scriptedCorrector } from './scripted-corrector.js';

describe('words that must not come in', () => {
  it('are known in any casing, in the plural, and as phrases, but not inside words', () => {
    const words = new RefusedWords(['darn', 'oh my']);
    const found = (before: string, after: string): string[] =>
      words.broughtIn(before, after).map(({ start, end }) => after.slice(start, end));
    expect(found('', 'Darn! DARNS darned undarn, Oh my darn')).toEqual(['Darn', 'DARNS', 'Oh my', 'darn']);
    expect(found('A darn thing', 'Darns oh my')).toEqual(['oh my']);
  });

  it('an output without them is always allowed, one with them never', () => {
    // All outputs of up to five tokens, against what the finished text holds.
    const tokens = ['', 'a', 'b', ' ', 'ab', 's', "'"];
    const vocabulary = { size: tokens.length, endTokenId: 0 };
    const any = fc.array(fc.constantFrom('a', 'ab', 'ba', 'b b', 'a b', "a'b", 'aa'), { maxLength: 3 });
    fc.assert(
      fc.property(any, fc.constantFrom('', 'a', 'ab b', 'b b'), (entries, text) => {
        const words = new RefusedWords(entries);
        const constraint = words.constraint(text, tokens, vocabulary);
        const visit = (state: ReturnType<typeof constraint.start>, output: string, depth: number): void => {
          const allowed = constraint.allowed(state);
          expect(allowed[0] === 1, JSON.stringify([entries, text, output])).toBe(
            words.broughtIn(text, output).length === 0,
          );
          if (depth === 0) return;
          for (let token = 1; token < tokens.length; token++) {
            const longer = output + tokens[token];
            if (allowed[token] === 1) visit(constraint.next(state, token), longer, depth - 1);
            else expect(words.broughtIn(text, `${longer} `).length).toBeGreaterThan(0);
          }
        };
        visit(constraint.start(0), '', 4);
      }),
      { seed: 21, numRuns: 60 },
    );
  });

  it('are left out by decoding, also where the draft had none, and stay where they were', async () => {
    const rude = scriptedCorrector((text) => text.replace('dran', 'darn'));
    const refuse = ['darn'];
    expect((await correctText(rude, 'A dran thing.', { refuse: [] })).text).toBe('A darn thing.');
    const { text, leftAlone } = await correctText(rude, 'A dran thing.', { refuse });
    expect(text).toBe('A dran thing.');
    expect(leftAlone.map(({ reason }) => reason)).toContain('refused');
    expect((await correctText(rude, 'A darn dran thing.', { refuse })).text).toBe('A darn darn thing.');
  });

  it('by default are those of a public list', async () => {
    const rude = scriptedCorrector((text) => text.replace('shti', 'shit'));
    expect((await correctText(rude, 'A shti thing.')).text).not.toMatch(/shit\b/i);
    expect((await correctText(rude, 'A shit shti.')).text).toBe('A shit shit.');
  });

  it('do not come in by half of the edits either', async () => {
    // Whole, it is another word; without the doubtful edit it would be a refused one.
    const model = scriptedCorrector((text) => text.replace('da rn it', 'darning'), { sureness: () => 9 });
    const parts = scriptedCorrector((text) => text.replace('oh, mi', 'oh my own'), {
      sureness: (output) => (/ow?$/.test(output) ? 5 : 12),
    });
    for (const minConfidence of [0, 0.5, 0.9]) {
      expect((await correctText(model, 'a da rn it.', { refuse: ['darn'], minConfidence })).text).not.toMatch(
        /darn\b/i,
      );
      expect((await correctText(parts, 'oh, mi.', { refuse: ['oh my'], minConfidence })).text).not.toMatch(/oh my\b/i);
    }
  });
});
