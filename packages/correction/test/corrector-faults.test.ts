import { describe, expect, it } from 'vitest';
import { correctionDrafter, correctText } from '../src/index.js';
import { scriptedCorrector, scriptedLattice, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const outputOf = async (text: string): Promise<string> => (await correctText(simple, text)).text;
const LONG = 'We saw a big cat on the old mat in the house today, and then we went home with it.';

describe('white space and words that a model puts in', () => {
  it.each([
    ['at the end', (text: string) => `${text} `],
    ['at the beginning', (text: string) => ` ${text}`],
    ['twice', (text: string) => text.replace('big cat', 'big  cat')],
    ['as a line break', (text: string) => text.replace('big cat', 'big\ncat')],
    ['as four words', (text: string) => text.replace('the old', 'top of one quite the old')],
  ])('do not come in: %s', async (_, harm) => {
    expect((await correctText(scriptedCorrector(harm), LONG)).text).toBe(LONG);
  });

  it('come in where they are up to three words', async () => {
    const model = scriptedCorrector((text) => text.replace('the old', 'top of one the old'));
    expect((await correctText(model, LONG)).text).toBe(LONG.replace('the old', 'top of one the old'));
  });
});

describe('what of a line is read', () => {
  it.each([
    ['teh cat \t', 'The cat. \t'],
    ['<p>teh cat</p>', '<p>The cat.</p>'],
    ['<li class="teh">teh wrold</li>\nteh', '<li class="teh">The world.</li>\nThe.'],
    ['["teh", "alot"]', '["teh", "alot"]'],
    ['```\nteh cat\n```js\nteh cat\n```\nteh', '```\nteh cat\n```js\nteh cat\n```\nThe.'],
    ['A teh. '.repeat(60), 'A the. '.repeat(60)],
  ])('ends where its sentences do: %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected);
  });
});

it('a name in quotes is one', async () => {
  const model = scriptedCorrector((text) => text.replace('Jhon', 'John'), { sureness: () => 8 });
  for (const text of ['We saw "Jhon" there.', 'We saw (Jhon) there.'])
    expect((await correctText(model, text)).text).toBe(text);
});

it('the nearest word tells whether a text is in capitals', async () => {
  const model = scriptedCorrector((text) => text.replace('TEH', 'The'), { sureness: () => 14 });
  expect((await correctText(model, 'SO it is TEH cat.')).text).toBe('SO it is The cat.');
  expect((await correctText(model, 'it is SO TEH cat.')).text).toBe('it is SO THE cat.');
});

it('letters that are given are those of the language', async () => {
  const model = scriptedCorrector((text) => text.replace('größ', 'groß'));
  expect((await correctText(model, 'So größ.', { alphabet: 'abcdefghijklmnopqrstuvwxyzöß' })).text).toBe('So groß.');
  expect((await correctText(model, 'So größ.', { alphabet: 'abcdefghijklmnopqrstuvwxyzß' })).text).toBe('So größ.');
});

it('a text whose guess would be too long is its own draft', async () => {
  const model = scriptedCorrector(simpleCorrection, { sourceLength: 8 });
  expect((await correctText(model, 'teh cat')).text).toBe('The cat.');
});

it('a drafter copies what a CTC model writes, in a forward a piece', async () => {
  const drafter = correctionDrafter(simple, { from: scriptedLattice(simpleCorrection) });
  const { text, statistics } = await correctText(simple, 'teh cat likes alot of wrold', { drafter });
  expect(text).toBe('The cat likes a lot of world.');
  expect([statistics.forwards, statistics.speculation?.draftForwards]).toEqual([1, 1]);
});

it('the figures of a text are those of all its lines', async () => {
  const lines = ['teh cat likes alot of milk', 'A wrold of teh cats.', 'We sat.'];
  const alone = await Promise.all(lines.map(async (line) => (await correctText(simple, line)).statistics));
  const { tokens, speculation } = (await correctText(simple, lines.join('\n\n'))).statistics;
  expect(tokens).toBe(alone.reduce((sum, one) => sum + one.tokens, 0));
  expect(speculation?.accepted).toBeGreaterThan(alone[1].speculation?.accepted ?? 0);
});

it('an abort ends the decode of a piece', async () => {
  const controller = new AbortController();
  let scored = 0;
  const model = scriptedCorrector((text) => text, {
    sureness: () => {
      if (++scored === 3) controller.abort();
      return 12;
    },
  });
  const options = { drafter: 'none', signal: controller.signal } as const;
  await expect(correctText(model, 'The cat sat on the mat.', options)).rejects.toThrow(/aborted/);
  expect(scored).toBeLessThan(6);
});
