import { expect, it } from 'vitest';
import { tidyText } from '../src/tidy-text.js';

it.each([
  ['i think i am', 'I think I am.'],
  ['so i’m (fine)', 'So I’m (fine).'],
  ['"the cat"', '"The cat".'],
  ['it ends!', 'It ends!'],
  ['a hi-i there', 'A hi-i there.'],
  ['The i.e. of it', 'The i.e. of it.'],
  ['2 cats', '2 cats.'],
  ['', ''],
])('%j is drafted as %j', (text, expected) => {
  expect(tidyText(text)).toBe(expected);
});
