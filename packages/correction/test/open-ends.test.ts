import { describe, expect, it } from 'vitest';
import { correctText } from '../src/index.js';
import { scriptedCorrector, simpleCorrection } from './scripted-corrector.js';

// It would end lines that end in a comma, too.
const ending = scriptedCorrector((text) => simpleCorrection(text).replace(/[,;]$/, '.'));
const outputOf = async (text: string): Promise<string> => (await correctText(ending, text)).text;

describe('items of lists', () => {
  it.each([
    ['- teh cat\n- alot of milk', '- The cat\n- A lot of milk'],
    ['1. teh cat sat.\n2) teh dog sat', '1. The cat sat.\n2) The dog sat'],
    ['* [ ] teh cat', '* [ ] The cat'],
    ['> - teh cat', '> - The cat'],
    ['- teh cat. It sat', '- The cat. It sat.'],
    ['- The quick brown fox jumps over all of the\n  lazy dogs and then it goes down to teh river', undefined],
    ['> teh cat', '> The cat.'],
    ['>>teh cat', '>>The cat.'],
    ['>= teh cat', '>= the cat.'],
    ['— teh cat', '— The cat.'],
  ])('end as they are, unless they hold several sentences or lines: %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected ?? `${text.replace('teh', 'the')}.`);
  });
});

describe('lines of verse', () => {
  it.each([
    ['A cat and teh dog,\nIn teh wrold of mats;\nWe see it', 'A cat and the dog,\nIn the world of mats;\nWe see it'],
    ['a cat and teh dog,\nalot of mats', 'A cat and the dog,\nA lot of mats'],
  ])('end as they did: %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected);
  });

  it.each([
    ['Dear Jane,\nWe see teh cat', 'Dear Jane.\nWe see the cat.'],
    ['a cat and a dog,\nteh cat sat\nteh dog sat', 'A cat and a dog.\nThe cat sat.\nThe dog sat.'],
    ['We see teh cat\nIt sat on teh mat,', 'We see the cat.\nIt sat on the mat.'],
    ['A cat and a dog,\n\nWe see teh cat', 'A cat and a dog.\n\nWe see the cat.'],
    ['We see teh cat,\n```\nx\n```\nA dog', 'We see the cat.\n```\nx\n```\nA dog.'],
    [`A cat and a dog,\nWe see teh cat${' and a cat'.repeat(6)}`, undefined],
  ])('are not a letter, notes, or lines that are wide or apart: %j', async (text, expected) => {
    expect(await outputOf(text)).toBe(expected ?? `${text.replace('dog,', 'dog.').replace('teh', 'the')}.`);
  });
});
