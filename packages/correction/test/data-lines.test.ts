import { describe, expect, it } from 'vitest';
import { correctText, createCorrector, FencedCode } from '../src/index.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

const simple = scriptedCorrector(simpleCorrection);
const lineByLine = async (text: string): Promise<string> => {
  const corrector = createCorrector(simple);
  const code = new FencedCode();
  const lines: string[] = [];
  for (const line of text.split('\n')) lines.push((await corrector.correct(line, { code })).text);
  return lines.join('\n');
};

describe('lines of data', () => {
  it.each([
    'kind: teh',
    'teh:\n  wrold: teh\n  - teh\n  - alot: teh wrold\n',
    'kind: teh\nname: teh wrold\n- uses: teh/wrold',
    'teh: "alot of teh wrold is here" # teh\nwrold: [teh, alot]\nalot: { teh: wrold }',
    'teh: 1\n# teh wrold\nwrold: alot teh',
    '"teh": wrold\n\'wrold\': alot teh',
  ])('stay as they are, whole and one by one: %j', async (text) => {
    expect((await correctText(simple, text)).text).toBe(text);
    expect(await lineByLine(text)).toBe(text);
  });

  it.each(['name: teh wrold\nkind: teh\n', 'name: teh wrold\nother: alot teh\r\nkind: teh\n'])(
    'are known by those that follow: %j',
    async (text) => {
      expect((await correctText(simple, text)).text).toBe(text);
    },
  );

  it.each([
    ['kind: teh\ntext: alot of teh cat is here', 'kind: teh\ntext: A lot of the cat is here'],
    ['kind: teh\nalice: i see teh cat\nkind: teh', 'kind: teh\nalice: I see the cat\nkind: teh'],
  ])('have values that are prose, and end as they did: %j', async (text, expected) => {
    const model = scriptedCorrector((read) => simpleCorrection(read.replace(/^i /, 'I ')));
    expect((await correctText(model, text)).text).toBe(expected);
  });

  it.each([
    ['note: teh cat sat on it', 'Note: the cat sat on it.'],
    ['note: teh cat\nbut: alot of wrold', 'Note: the cat.\nBut: a lot of world.'],
    ['Kind: teh', 'Kind: the.'],
    ['kind: x\n\nnote: teh cat', 'kind: x\n\nNote: the cat.'],
    ['kind: x\nteh cat sat\nnote: teh cat', 'kind: x\nThe cat sat.\nNote: the cat.'],
    ['kind:\n- teh cat sat', 'kind:\n- The cat sat'],
    ['x:teh cat', 'X:the cat.'],
  ])('are not what is said with a colon in it: %j', async (text, expected) => {
    expect((await correctText(simple, text)).text).toBe(expected);
  });
});
