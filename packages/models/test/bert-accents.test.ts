import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { bertNormal } from '../src/tokenizer/bert-normal.js';

/** Written by apps/distill/make_bert_accent_goldens.py. */
const { removed, kept } = JSON.parse(
  await readFile(new URL('goldens/bert-accents.json', import.meta.url), 'utf8'),
) as Readonly<Record<'removed' | 'kept', readonly (readonly [first: number, last: number])[]>>;

const all = (ranges: typeof kept): number[] =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
const stripped = (codePoint: number): string => normal(`a${String.fromCodePoint(codePoint)}b`);
const normal = bertNormal({ type: 'BertNormalizer', strip_accents: true });

it('removes the accents that the original removes', () => {
  expect(all(removed).length).toBeGreaterThan(1300);
  expect(all(removed).filter((codePoint) => stripped(codePoint) !== 'ab')).toEqual([]);
});

it('leaves marks that the original does not know, and does not take newer signs apart', () => {
  expect(all(kept).length).toBeGreaterThan(900);
  const changed = all(kept).filter((codePoint) => stripped(codePoint) !== `a${String.fromCodePoint(codePoint)}b`);
  expect(changed).toEqual([]);
});
