import { describe, expect, it } from 'vitest';
import { changesBetween, cut } from '../src/changes.js';
import { correctText } from '../src/index.js';
import { wordDistance } from '../src/word-distance.js';
import { scriptedCorrector } from './scripted-corrector.js';

describe('how sure a model is of an edit', () => {
  it('is told by the tokens of that edit, whatever letters stand before it', async () => {
    const model = scriptedCorrector((text) => text.replace('teh', 'the'), {
      sureness: (output) => (/a t?h?$/.test(output) ? 7 : 14),
    });
    const [plain, marked] = await Promise.all(
      ['iiii a teh cat.', 'ïïïï a teh cat.'].map((text) => correctText(model, text)),
    );
    expect(plain.edits).toHaveLength(1);
    expect(plain.edits[0].probability).toBeLessThan(0.7);
    expect(marked.edits[0].probability).toBeCloseTo(plain.edits[0].probability, 4);
  });

  it.each(['When we left, Jhon stayed.', 'We left; Jhon stayed.', 'We saw (him) Jhon there.'])(
    'decides about what looks like a name: %j',
    async (text) => {
      const model = scriptedCorrector((read) => read.replace('Jhon', 'John'), { sureness: () => 8 });
      expect(await correctText(model, text)).toMatchObject({
        text,
        leftAlone: [{ before: 'Jhon', reason: 'doubtful' }],
      });
    },
  );
});

it('a model that finds no end is left after about twice the length of the text', async () => {
  const model = scriptedCorrector((text) => `${text}${' a cat'.repeat(100)}`);
  const { leftAlone, statistics } = await correctText(model, 'a cat sat', { drafter: 'none' });
  expect(leftAlone).toMatchObject([{ reason: 'endless' }]);
  expect(statistics.tokens).toBeLessThanOrEqual(2 * 'a cat sat'.length + 18);
});

describe('words', () => {
  it('are as far from each other whichever is asked for, and at most 1', () => {
    for (const [one, other] of [
      ['cat', 'southeastern'],
      ['', 'cat'],
      ['teh', 'the'],
      ['a'.repeat(70), 'a'.repeat(71)],
    ]) {
      const distance = wordDistance(one, other);
      expect(distance).toBe(wordDistance(other, one));
      expect(distance).toBeGreaterThan(0);
      expect(distance).toBeLessThanOrEqual(1);
    }
  });

  it('in their own casing are those that were kept', () => {
    const found = (before: string, after: string) =>
      changesBetween(before, after).map((change) => [cut(before, change.before), cut(after, change.after)]);
    expect(found('a The the cat', 'a the cat')).toEqual([['The ', '']]);
    expect(found('a the The cat', 'a The cat')).toEqual([['the ', '']]);
    const others = [
      ['oen', 'one'],
      ['tow', 'two'],
    ];
    for (const before of ['oen The the tow', 'oen the The tow']) {
      expect(found(before, 'one the two').filter(([word]) => word.trim() === 'the')).toEqual([]);
      expect(found(before, 'one the two')).toEqual(expect.arrayContaining(others));
    }
  });
});
