import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { applied, type Proposal } from '../src/edits.js';
import { correctText } from '../src/index.js';
import { RefusedWords } from '../src/refused-words.js';
import { withoutRefused } from '../src/without-refused.js';
import { finished } from './finished.js';
import { scriptedCorrector } from './scripted-corrector.js';

describe('words that must not come in', () => {
  it('are known in any casing, in the plural, and as phrases, but not inside words', () => {
    const words = finished(RefusedWords.of(['darn', ' Oh MY', 'my own', 'ßa', 'x!']));
    const found = (text: string): string[] => [...finished(words.heldBy(text))];
    expect(found('Darn! undarn, Oh my')).toEqual(['darn', 'oh my']);
    expect(found('DARNS')).toEqual(['darn']);
    expect(found('darned, ohmy oh  my, myown, 1darn, x!y')).toEqual([]);
    // One may begin inside another.
    expect(found('oh my own')).toEqual(['oh my', 'my own']);
    expect(found('ẞA. x!s')).toEqual(['ßa', 'x!']);
    const bringsIn = (before: string, after: string): boolean => finished(words.bringsIn(before, after));
    expect(bringsIn('A darn thing', 'Darns DARN')).toBe(false);
    expect(bringsIn('A darn thing', 'Darns oh my')).toBe(true);
    expect(bringsIn('A darn thing', 'Darns oh my!')).toBe(true);
  });

  it('are found as an expression finds them', () => {
    const letters = fc.constantFrom('a', 'b', 's', 'e', ' ', '!', 'é', '\u{10400}');
    const text = fc.array(letters, { maxLength: 14 }).map((all) => all.join(''));
    fc.assert(
      fc.property(
        fc.array(fc.array(letters, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        text,
        (listed, read) => {
          const entries = listed.map((all) => all.join(''));
          const words = finished(RefusedWords.of(entries));
          const letter = '[\\p{L}\\p{M}\\p{N}_]';
          const holds = entries
            .filter((entry) => entry.trim() !== '')
            .some((entry) => new RegExp(`(?<!${letter})${entry.trim()}(?:s|es)?(?!${letter})`, 'iu').test(read));
          expect(finished(words.bringsIn('', read)), JSON.stringify([entries, read])).toBe(holds);
        },
      ),
      { seed: 22, numRuns: 2_000 },
    );
  });

  it('cost one look at each character, however many they are', () => {
    const looks = (count: number): number => {
      const entries = Array.from({ length: count }, (_, index) => `${'a '.repeat(index % 40)}b${index}`);
      const words = finished(RefusedWords.of(entries));
      using folds = vi.spyOn(String.prototype, 'toLowerCase');
      finished(words.bringsIn('', 'a '.repeat(2_000)));
      return folds.mock.calls.length;
    };
    expect(looks(5_000)).toBe(looks(5));
  });

  it('an output without them is always allowed, one with them never', () => {
    // All outputs of up to five tokens, against what the finished text holds.
    const tokens = ['', 'a', 'b', ' ', 'ab', 's', "'", 'b '];
    const vocabulary = { size: tokens.length, endTokenId: 0 };
    const any = fc.array(fc.constantFrom('a', 'ab', 'ba', 'b b', 'a b', "a'b", 'aa'), { maxLength: 3 });
    fc.assert(
      fc.property(any, fc.constantFrom('', 'a', 'ab b', 'b b'), (entries, text) => {
        const words = finished(RefusedWords.of(entries));
        const constraint = finished(words.constraint(text, tokens, vocabulary));
        const bringsIn = (output: string): boolean => finished(words.bringsIn(text, output));
        const visit = (state: ReturnType<typeof constraint.start>, output: string, depth: number): void => {
          const allowed = constraint.allowed(state);
          expect(allowed[0] === 1, JSON.stringify([entries, text, output])).toBe(!bringsIn(output));
          if (depth === 0) return;
          for (let token = 1; token < tokens.length; token++) {
            const longer = output + tokens[token];
            if (allowed[token] === 1) visit(constraint.next(state, token), longer, depth - 1);
            else expect(bringsIn(`${longer} `)).toBe(true);
          }
        };
        visit(constraint.start(0), '', 4);
      }),
      { seed: 21, numRuns: 50 },
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

  it('do not come in by edits together, whichever these are', () => {
    const letters = fc.constantFrom('a', 'b', ' ', 's', '!');
    const some = (max: number) => fc.array(letters, { maxLength: max }).map((all) => all.join(''));
    const cuts = fc.array(fc.tuple(some(4), some(2), some(2)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(some(4), { maxLength: 4 }), cuts, some(4), (entries, parts, rest) => {
        let text = '';
        const proposals = parts.map(([kept, before, after]): Proposal => {
          text += kept;
          const start = text.length;
          text += before;
          const part = { start, end: text.length, after };
          return { ...part, before, probability: 0.5, parts: [part], clarity: 1 };
        });
        text += rest;
        const words = finished(RefusedWords.of(entries));
        const { made, refused } = finished(withoutRefused(text, proposals, words));
        const bringsIn = (edits: readonly Proposal[]): boolean =>
          finished(words.bringsIn(text, applied(text, edits).text));
        expect(bringsIn([...made])).toBe(false);
        expect(refused.length > 0).toBe(bringsIn(proposals));
        expect([...made, ...refused].toSorted((a, b) => proposals.indexOf(a) - proposals.indexOf(b))).toEqual(
          proposals,
        );
      }),
      { seed: 23, numRuns: 5_000 },
    );
  });

  it('are taken back without reading the whole text again', () => {
    const looks = (edits: number): number => {
      const text = 'a dran ship. '.repeat(edits);
      const proposals = Array.from({ length: edits }, (_, index) => {
        const part = { start: index * 13 + 2, end: index * 13 + 6, after: 'darn' };
        return { ...part, before: 'dran', probability: 0.5, parts: [part], clarity: 1 };
      });
      const words = finished(RefusedWords.of(['darn']));
      using folds = vi.spyOn(String.prototype, 'toLowerCase');
      expect(finished(withoutRefused(text, proposals, words)).refused.length).toBe(edits);
      return folds.mock.calls.length / edits;
    };
    expect(looks(400)).toBeLessThanOrEqual(looks(100) + 1);
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
