import { BackoffModel, type Ngram } from '@foretoken/language-models';

/** What follows a history, and how often. */
type Counts = Map<string, number>;

const BEGIN = '<s>';
const END = '</s>';
const UNKNOWN = '<unk>';
/** No character of a line. */
const BETWEEN = '\n';

/**
 * N-grams of the characters of texts, up to `order` of them: what followed a history, and less of what followed shorter ones where it
 * was followed by many different characters (Witten and Bell, 1991). What occurs nowhere has the share of one of `classes` characters.
 */
export function characterNgrams(texts: readonly string[], order: number, classes: number): BackoffModel {
  const levels = Array.from({ length: order }, () => new Map<string, Counts>());
  for (const text of texts) {
    const said = [BEGIN, ...text, END];
    for (let at = 1; at < said.length; at++) {
      for (let length = 0; length < Math.min(order, at + 1); length++) {
        const history = said.slice(at - length, at).join(BETWEEN);
        const counts = levels[length].get(history) ?? new Map<string, number>();
        counts.set(said[at], (counts.get(said[at]) ?? 0) + 1);
        levels[length].set(history, counts);
      }
    }
  }
  const words = [BEGIN, UNKNOWN, ...(levels[0].get('')?.keys() ?? [])];
  const indices = new Map(words.map((word, index) => [word, index]));
  const probabilities = new Map<string, number>();
  /** The probability of a word after a history or, where that was never followed by it, after shorter ones. */
  const after = (history: readonly string[], word: string): number => {
    const known = probabilities.get([...history, word].join(BETWEEN));
    if (known !== undefined) return known;
    return history.length === 0 ? 1 / classes : after(history.slice(1), word);
  };
  const backoffs = new Map<string, number>();
  const found: { readonly said: readonly string[]; readonly probability: number }[] = [];
  // Shorter histories first.
  for (const level of levels) {
    for (const [key, counts] of level) {
      const history = key === '' ? [] : key.split(BETWEEN);
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const rest = counts.size / (total + counts.size);
      for (const [word, count] of counts) {
        const shorter = history.length === 0 ? 1 / classes : after(history.slice(1), word);
        const probability = count / (total + counts.size) + rest * shorter;
        probabilities.set([...history, word].join(BETWEEN), probability);
        found.push({ said: [...history, word], probability });
      }
      backoffs.set(key, Math.log(rest));
      if (history.length === 0) found.push({ said: [UNKNOWN], probability: rest / classes });
    }
  }
  // Texts begin with it, and it follows nothing.
  found.push({ said: [BEGIN], probability: 1e-30 });
  const ngrams = found.map(
    ({ said, probability }): Ngram => ({
      words: said.map((word) => indices.get(word) as number),
      logProb: Math.log(probability),
      backoff: backoffs.get(said.join(BETWEEN)),
    }),
  );
  return new BackoffModel(words, ngrams, order);
}
