import { describe, expect, it } from 'vitest';
import { changesBetween, cut } from '../src/changes.js';
import { coupled, isRewritten } from '../src/edits.js';

/** What each group of changes leaves out and puts in. */
function groupsOf(before: string, after: string): string[][] {
  return coupled(before, after, changesBetween(before, after)).map((group) =>
    group.map((change) => `${cut(before, change.before).trim()}>${cut(after, change.after).trim()}`),
  );
}

describe('coupled changes', () => {
  it('hold all that lies between the two places of a word that moved', () => {
    expect(groupsOf('zebra the bbb of ddd was seen', 'the bxb of dxd was seen zebra')).toEqual([
      ['zebra>', 'bbb>bxb', 'ddd>dxd', '>zebra'],
    ]);
  });

  it('are the end of a sentence and the capital that follows, and no other letter', () => {
    expect(groupsOf('we saw it the cat ran', 'we saw it. The cat ran')).toHaveLength(1);
    expect(groupsOf('we saw it bat ran', 'we saw it. cat ran')).toHaveLength(2);
  });
});

describe('a text that is another one', () => {
  const nine = 'we all went home to eat it and slept';
  it.each([
    ['three words of nine put in', nine, `${nine} very very well`, true],
    ['two words of nine put in', nine, `${nine} very well`, false],
    ['three words of ten put in', `then ${nine}`, `then ${nine} very very well`, false],
    ['three words of nine replaced by others', nine, 'xyz qqqq went bbbb to eat it and slept', true],
    ['three words of nine misspelt', nine, 'wee al went hoome to eat it and slept', false],
  ])('%s', (_, before, after, expected) => {
    expect(isRewritten(before, after, changesBetween(before, after))).toBe(expected);
  });
});
