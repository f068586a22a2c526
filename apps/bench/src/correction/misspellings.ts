import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface CspellDictionary {
  readonly dictionaryDefinitions: readonly { readonly suggestWords?: readonly string[] | undefined }[];
}

const WORD = /[A-Za-z]+/g;

/**
 * Misspellings that people made, by the word that was meant, from the list of cspell (collected by codespell and others; CC BY-SA 4.0);
 * those that mean one word only. No training of ours reads such a list.
 */
export async function realMisspellings(): Promise<ReadonlyMap<string, readonly string[]>> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@cspell/dict-en-common-misspellings/cspell-ext.json'));
  const { dictionaryDefinitions } = JSON.parse(
    await readFile(join(folder, 'dict', 'dict-en.json'), 'utf8'),
  ) as CspellDictionary;
  const found = new Map<string, string[]>();
  for (const entry of dictionaryDefinitions.flatMap(({ suggestWords = [] }) => suggestWords)) {
    const [wrong, right] = entry.split('->');
    if (!/^[a-z]+$/.test(wrong) || !/^[a-z]+$/.test(right)) continue;
    found.set(right, [...(found.get(right) ?? []), wrong]);
  }
  return found;
}

/** Lines of which at most two words are misspelt, chosen by a fixed rule, with the lines themselves. */
export function misspelt(
  lines: readonly string[],
  misspellings: ReadonlyMap<string, readonly string[]>,
  max = 2,
): { source: string; target: string }[] {
  let state = 7;
  const draw = (count: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return lines.flatMap((target) => {
    const words = Array.from(target.matchAll(WORD), ({ index, 0: word }) => ({ index, word }));
    const places = words.filter(({ word }) => misspellings.has(word.toLowerCase()));
    while (places.length > max) places.splice(draw(places.length), 1);
    let source = target;
    for (const { index, word } of places.reverse()) {
      const all = misspellings.get(word.toLowerCase()) ?? [];
      const wrong = all[draw(all.length)];
      const cased = /^[A-Z]/.test(word) ? wrong.charAt(0).toUpperCase() + wrong.slice(1) : wrong;
      source = source.slice(0, index) + cased + source.slice(index + word.length);
    }
    return places.length === 0 ? [] : [{ source, target }];
  });
}
