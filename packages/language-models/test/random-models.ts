import { BackoffModel, NgramModel, type NgramTables } from '@foretoken/language-models';

/** A number from 0 to 0.99 for a place in a table. */
const chance = (place: number, seed: number): number =>
  (Math.imul(place + 1, 7919 * (seed + 3)) % 97) / 100 +
  (Math.imul(place + 1, 7919 * (seed + 3)) % 97 < 0 ? 0.98 : 0.01);

/** Random trigram tables; some pairs are histories only. With `most` above 1 some weights are too. */
export function randomTables(size: number, seed: number, max = 1): NgramTables {
  const some = (length: number, salt: number): Float32Array =>
    Float32Array.from({ length }, (_, place) => max * chance(place, seed + 7 * salt));
  const pairs: number[] = [];
  const triples: number[] = [];
  for (let first = 0; first < size; first++) {
    for (let second = 0; second < size; second++) {
      if ((first * 7 + second * 3 + seed) % 3 === 0) pairs.push(first, second);
      for (let third = 0; third < size; third++) {
        if ((first * 5 + second * 3 + third * 11 + seed) % 4 === 0) triples.push(first, second, third);
      }
    }
  }
  return {
    unigramProbability: some(size, 1),
    unigramBackoff: some(size, 2),
    bigramIds: Int32Array.from(pairs),
    bigramProbability: some(pairs.length / 2, 3).map((value, pair) => (pair % 5 === 2 ? 0 : value)),
    bigramBackoff: some(pairs.length / 2, 4),
    trigramIds: Int32Array.from(triples),
    trigramProbability: some(triples.length / 3, 5),
  };
}

export const randomNgrams = (size: number, seed: number, endTokenId = 0): NgramModel =>
  new NgramModel(randomTables(size, seed), { endTokenId });

export const WORDS: readonly string[] = ['<s>', '</s>', '<unk>', 'a', 'ab', 'ba', 'abba'];

/** A model of four orders; `lift` is added to the logarithms of all back-off weights. */
export function randomBackoff(seed: number, lift = 0, words: readonly string[] = WORDS): BackoffModel {
  const ngrams = words.flatMap((_, first) => [
    { words: [first], logProb: -3 * chance(first, seed), backoff: lift - chance(first, seed + 1) },
    ...words.flatMap((_, second) =>
      (first + 2 * second + seed) % 3 === 0
        ? [
            {
              words: [first, second],
              logProb: -2 * chance(first + 9 * second, seed),
              backoff: lift - chance(second, seed),
            },
          ]
        : [],
    ),
  ]);
  return new BackoffModel(words, ngrams);
}
