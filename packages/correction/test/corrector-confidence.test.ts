import { describe, expect, it } from 'vitest';
import { correctText, createCorrector } from '../src/index.js';
import { PLAIN_LETTERS } from '../src/protected-spans.js';
import { spelledLetters } from '../src/spelled-letters.js';
import { finished } from './finished.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);

describe('how sure it must be', () => {
  const unsure = scriptedCorrector(simpleCorrection, { sureness: (output) => (output.includes('cat') ? 7 : 12) });

  it('each edit has the probability of the tokens that spell it', async () => {
    const { edits } = await correctText(unsure, 'teh cat wrold');
    const one = Math.exp(12) / (Math.exp(12) + 256);
    const other = Math.exp(7) / (Math.exp(7) + 256);
    expect(edits.map(({ before }) => before)).toEqual(['teh', 'wrold', '']);
    expect(edits.map(({ probability }) => probability)).toEqual(
      [one ** 3, other ** 5, other].map((value) => expect.closeTo(value, 5)),
    );
  });

  it('doubtful edits are left alone, each by itself', async () => {
    const { text, edits, leftAlone } = await correctText(unsure, 'teh cat wrold', { minConfidence: 0.5 });
    expect(text).toBe('The cat wrold.');
    expect(edits.map(({ after }) => after)).toEqual(['The', '.']);
    expect(leftAlone).toEqual([expect.objectContaining({ before: 'wrold', after: 'world', reason: 'doubtful' })]);
  });

  it('a full stop and the capital after it go together', async () => {
    const model = scriptedCorrector((text) => text.replace('here it', 'here. It'), {
      sureness: (output) => (output.endsWith('here') ? 5.5 : 12),
    });
    const { edits } = await correctText(model, 'It was here it  was.');
    expect(edits).toMatchObject([{ before: ' it', after: '. It', start: 11, end: 14 }]);
    expect((await correctText(model, 'It was here it  was.')).text).toBe('It was here. It  was.');
    expect((await correctText(model, 'It was here it  was.', { minConfidence: 0.9 })).text).toBe(
      'It was here it  was.',
    );
  });
});

describe('text that a model does not know', () => {
  it('is altered only where it is very sure of the edit', async () => {
    // Of every token less sure than of any of a language that it has read.
    const [unclear, clear] = [6.5, 12].map((logit) =>
      scriptedCorrector((text) => text.replace('und', 'and').replace('ich', 'each'), {
        sureness: (output) => (output.endsWith('und') || output.endsWith(' an') ? 30 : logit),
      }),
    );
    const text = 'Heute gehe ich nach Hause und esse.';
    const { text: output, leftAlone } = await correctText(unclear, text);
    expect(output).toBe(text);
    expect(leftAlone.map(({ before, after, reason }) => [before, after, reason])).toEqual([
      ['ich', 'each', 'doubtful'],
      ['und', 'and', 'doubtful'],
    ]);
    expect((await correctText(clear, text)).text).toBe('Heute gehe each nach Hause and esse.');
  });

  it('is told from what it knows beside it', async () => {
    const foreign = 'je ne sais pas ce que tu veux';
    const model = scriptedCorrector((text) => text.replace('pas', 'past').replaceAll('teh', 'the'), {
      sureness: (output) => (output.includes('je ne') && !output.includes('veux.') ? 5.8 : 12),
    });
    const known = 'This is a sentence of some length that anyone may read';
    const { text } = await correctText(model, `${known} in teh end. ${foreign}. ${known} in teh end.`);
    expect(text).toBe(`${known} in the end. ${foreign}. ${known} in the end.`);
  });
});

describe('letters that a vocabulary spells', () => {
  it('are those of its tokens in lower case, and the plain ones', () => {
    const tokens = ['Ä', 'bß', '1', '\ufffd', '\u0301', 'É!'];
    const tokenizer = { ...simple.tokenizer, decode: (ids: ArrayLike<number>) => tokens[ids[0]] };
    expect(finished(spelledLetters(tokenizer, tokens.length))).toBe(
      [...PLAIN_LETTERS, 'ä', 'ß', 'é', '\u0301'].sort().join(''),
    );
  });
});

describe('words that are kept', () => {
  const chatty = scriptedCorrector((text) => text.replace(/lol|xylo/giu, 'Lo').replaceAll('teh', 'the'));

  it('are those of chats, or those that are given', async () => {
    expect((await correctText(chatty, 'teh LOL (lol) xylo')).text).toBe('the LOL (lol) Lo');
    const { text, leftAlone } = await correctText(chatty, 'teh lol "Xylo".', { keep: ['xylo'] });
    expect(text).toBe('the Lo "Xylo".');
    expect(leftAlone).toMatchObject([{ before: 'Xylo', after: 'Lo', reason: 'protected' }]);
    expect((await correctText(chatty, 'lol', { keep: [] })).text).toBe('Lo');
  });

  it.each([['two words'], [''], ['.'], ['a,'], [7]])('are words: %j', (word) => {
    expect(() => createCorrector(chatty, { keep: [word as string] })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
