import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesBetween, cut } from '../src/changes.js';
import { spelledLetters } from '../src/spelled-letters.js';
import { wordDistance } from '../src/word-distance.js';
import { anyText, wildCorrection } from './any-text.js';
import { finished } from './finished.js';

const shown = (before: string, after: string): string[] =>
  changesBetween(before, after).map((change) => `${cut(before, change.before)}>${cut(after, change.after)}`);

describe('what changed between two texts', () => {
  it.each<[string, string, string[]]>([
    ['teh wrold', 'the world', ['teh>the', 'wrold>world']],
    ['alot of', 'a lot of', ['alot>a lot']],
    ['to gether now', 'together now', ['to gether>together']],
    ['the the cat', 'the cat', ['the >']],
    ['the cat', 'the big cat', ['>big ']],
    ['he go home', 'he goes home', ['go>goes']],
    ['so ,and', 'so, and', [' ,>, ']],
    ['here it is', 'here. It is', ['>.', 'it>It']],
    ['end', 'End.', ['end>End', '>.']],
    ['a \u{1F600} b', 'a \u{1F601} b', ['\u{1F600}>\u{1F601}']],
    ['a \uD83D b', 'a \u{1F600} b', ['\uD83D>\u{1F600}']],
    ['a \uDE00 b', 'a \u{1F600} b', ['\uDE00>\u{1F600}']],
    ['same', 'same', []],
    ['', 'new', ['>new']],
    ['old', '', ['old>']],
  ])('%j and %j', (before, after, expected) => {
    expect(shown(before, after)).toEqual(expected);
  });

  it('made in their order turn one into the other', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 1 }), (before, other, seed) => {
        for (const after of [wildCorrection(seed)(before), other]) {
          let output = '';
          let read = 0;
          for (const change of changesBetween(before, after)) {
            expect(change.before.start).toBeGreaterThanOrEqual(read);
            output += before.slice(read, change.before.start) + cut(after, change.after);
            read = change.before.end;
          }
          expect(output + before.slice(read)).toBe(after);
        }
      }),
      { seed: 31, numRuns: 300 },
    );
  });
});

it('two neighbours that changed places are one difference', () => {
  expect(wordDistance('teh', 'the')).toBeCloseTo(1 / 3);
});

describe('letters of a model', () => {
  it('are those that whole tokens spell, and the plain ones', () => {
    const texts = ['a', 'für', 'Ä', '\u{FFFD}', 'к', ' \u093f', '1', '.'];
    const tokenizer = {
      encode: () => new Int32Array(),
      decode: (tokenIds: ArrayLike<number>) => texts[tokenIds[0]],
      tokenText: () => '',
    };
    expect(finished(spelledLetters(tokenizer, texts.length))).toBe('abcdefghijklmnopqrstuvwxyzäüк\u093f');
  });
});
