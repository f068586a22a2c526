import { ForetokenError } from '../contract/errors.js';
import { BackoffModel, type Ngram } from './backoff-model.js';

/**
 * Reads a back-off language model of any order from the text of an ARPA file, as SRILM and KenLM write it: sections of
 * n-grams with base-10 logarithms and, but for the longest, back-off weights.
 *
 * Throws `INVALID_ARGUMENT` naming the line that breaks the format, a count that is not kept, or a word without a unigram.
 */
export function readArpa(text: string): BackoffModel {
  const lines = text.split(/\r?\n/);
  const counts = new Map<number, number>();
  const words: string[] = [];
  const indices = new Map<string, number>();
  const ngrams: Ngram[] = [];
  let order = -1;
  let found = 0;
  let ended = false;
  const close = (line: number): void => {
    if (order > 0 && found !== counts.get(order)) {
      throw broken(line, `ends ${found} n-grams of order ${order}, but ${counts.get(order)} were announced`);
    }
  };
  for (const [number, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || ended) continue;
    if (line === '\\data\\') {
      order = 0;
    } else if (line === '\\end\\') {
      close(number);
      if (order !== counts.size) throw broken(number, `ends the file after ${order} of ${counts.size} orders`);
      ended = true;
    } else if (line.startsWith('\\')) {
      close(number);
      const next = Number(/^\\(\d+)-grams:$/.exec(line)?.[1]);
      if (next !== order + 1 || !counts.has(next)) throw broken(number, `is "${line}", out of place`);
      order = next;
      found = 0;
    } else if (order === 0) {
      const [, n, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(line) ?? [];
      if (Number(n) !== counts.size + 1) throw broken(number, `is "${line}"; "ngram ${counts.size + 1}=…" is required`);
      counts.set(Number(n), Number(count));
    } else if (order > 0) {
      ngrams.push(ngramOf(line, number, order, (word) => indexOf(word, number)));
      found++;
    }
  }
  if (!ended) throw broken(lines.length - 1, 'is the last, but "\\end\\" is missing');
  return new BackoffModel(words, ngrams);

  function indexOf(word: string, line: number): number {
    const known = indices.get(word);
    if (known !== undefined) return known;
    if (order > 1) throw broken(line, `holds the word "${word}", which is no unigram`);
    indices.set(word, words.length);
    return words.push(word) - 1;
  }
}

function ngramOf(line: string, number: number, order: number, indexOf: (word: string) => number): Ngram {
  const fields = line.split(/\s+/);
  const logProb = /^-inf(inity)?$/i.test(fields[0] as string) ? Number.NEGATIVE_INFINITY : Number(fields[0]);
  const backoff = fields.length === order + 2 ? Number(fields[order + 1]) : 0;
  if ((fields.length !== order + 1 && fields.length !== order + 2) || Number.isNaN(logProb) || Number.isNaN(backoff)) {
    throw broken(number, `is "${line}"; a logarithm, ${order} words and perhaps a back-off weight are required`);
  }
  // Writers round, so the logarithm of 1 may come out above 0.
  const clipped = logProb > 0 && logProb < 1e-4 ? 0 : logProb;
  const words = fields.slice(1, order + 1).map(indexOf);
  return { words, logProb: clipped * Math.LN10, backoff: backoff * Math.LN10 };
}

/** `line` counts from 0. */
function broken(line: number, what: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `Line ${line + 1} of the ARPA file ${what}.`, { line: line + 1 });
}
