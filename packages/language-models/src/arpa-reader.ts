import { ForetokenError } from '@foretoken/core';
import { BackoffModel, type Ngram } from './backoff-model.js';

/** How files that are no ARPA file begin; bytes that are no UTF-8 were read as U+FFFD, or as Latin-1. */
const OTHER_FORMATS: readonly (readonly [readonly string[], string])[] = [
  [['mmap lm http://kheafield.com/code'], 'a KenLM binary; pass the ARPA file that it was built from'],
  [['SRILM_BINARY_NGRAM'], 'an SRILM binary; write it as an ARPA file with ngram -write-lm'],
  [['blmt', 'Qblmt', 'iARPA'], 'an IRSTLM file; write it as an ARPA file with compile-lm --text=yes'],
  [['\x1f\ufffd', '\x1f\x8b'], 'compressed with gzip; decompress it first'],
  [['BZh'], 'compressed with bzip2; decompress it first'],
  [['\ufffd7zXZ', '\xfd7zXZ'], 'compressed with xz; decompress it first'],
  [['(\ufffd/\ufffd', '(\xb5/\xfd'], 'compressed with zstd; decompress it first'],
];

/**
 * Reads a back-off language model of any order from the text of an ARPA file, as SRILM and KenLM write it: sections of
 * n-grams with base-10 logarithms and, but for the longest, back-off weights.
 *
 * Fields part at spaces and tabs alone; a word may hold any other character. Throws `INVALID_ARGUMENT` naming the line that
 * breaks the format, a count that is not kept, a word without a unigram, or the format of a file that is no ARPA file.
 */
export function readArpa(text: string): BackoffModel {
  assertText(text);
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
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
    const line = withoutBlanksAround(raw);
    if (line === '' || ended) continue;
    if (line === '\\data\\' && order < 0) {
      order = 0;
    } else if (line === '\\end\\') {
      close(number);
      if (order !== counts.size) throw broken(number, `ends the file after ${order} of ${counts.size} orders`);
      ended = true;
    } else if (line.startsWith('\\')) {
      close(number);
      const next = Number(/^\\(\d+)-grams:$/.exec(line)?.[1]);
      if (next !== order + 1 || !counts.has(next)) throw broken(number, `is "${shown(line)}", out of place`);
      order = next;
      found = 0;
    } else if (order === 0) {
      const [, n, count] = /^ngram[ \t]+(\d+)[ \t]*=[ \t]*(\d+)$/.exec(line) ?? [];
      if (Number(n) !== counts.size + 1)
        throw broken(number, `is "${shown(line)}"; "ngram ${counts.size + 1}=…" is required`);
      counts.set(Number(n), Number(count));
    } else if (order > 0) {
      ngrams.push(ngramOf(line, number, order, (word) => indexOf(word, number)));
      found++;
    }
  }
  if (order < 0) {
    throw invalid('The file has no line "\\data\\", so it is no ARPA file', { lines: lines.length });
  }
  if (!ended) throw broken(lines.length - 1, 'is the last, but "\\end\\" is missing');
  return new BackoffModel(words, ngrams, counts.size);

  function indexOf(word: string, line: number): number {
    const known = indices.get(word);
    if (known !== undefined) return known;
    if (order > 1) throw broken(line, `holds the word "${word}", which is no unigram`);
    indices.set(word, words.length);
    return words.push(word) - 1;
  }
}

/** Throws `INVALID_ARGUMENT` for what is recognised as something else. */
function assertText(text: unknown): void {
  if (typeof text !== 'string') {
    const received = text === null ? 'null' : typeof text;
    throw invalid(`The text of an ARPA file is required, but ${received} was received`, { received });
  }
  if (/^[\ufeff \t\r\n]*$/.test(text)) throw invalid('The ARPA file is empty', {});
  const format = OTHER_FORMATS.find(([beginnings]) => beginnings.some((beginning) => text.startsWith(beginning)));
  if (format !== undefined) throw invalid(`The file is no ARPA file but ${format[1]}`, {});
  if (text.slice(0, 4096).includes('\0')) {
    throw invalid('The file holds zero bytes, so it is binary or not UTF-8; an ARPA file in UTF-8 is required', {});
  }
}

function ngramOf(line: string, number: number, order: number, indexOf: (word: string) => number): Ngram {
  const fields = line.split(/[ \t]+/);
  const logProb = logarithm(fields[0]);
  const backoff = fields.length === order + 2 ? logarithm(fields[order + 1]) : 0;
  if ((fields.length !== order + 1 && fields.length !== order + 2) || Number.isNaN(logProb) || Number.isNaN(backoff)) {
    throw broken(number, `is "${shown(line)}"; a logarithm, ${order} words and perhaps a back-off weight are required`);
  }
  // Writers round, so the logarithm of 1 may come out above 0.
  const clipped = logProb > 0 && logProb < 1e-4 ? 0 : logProb;
  if (clipped > 0) throw broken(number, `has the logarithm ${logProb} of a probability; at most 0 is required`);
  const words = fields.slice(1, order + 1).map(indexOf);
  return { words, logProb: clipped * Math.LN10, backoff: backoff * Math.LN10 };
}

/** `trim` would take away characters that are part of words. */
function withoutBlanksAround(line: string): string {
  let begin = 0;
  let end = line.length;
  while (begin < end && isBlank(line[begin])) begin++;
  while (begin < end && isBlank(line[end - 1])) end--;
  return line.slice(begin, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function shown(line: string): string {
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

/** NaN for what is no decimal number. */
function logarithm(field: string | undefined): number {
  if (/^-inf(inity)?$/i.test(field ?? '')) return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(field ?? '') ? Number(field) : Number.NaN;
}

/** `line` counts from 0. */
function broken(line: number, what: string): ForetokenError {
  return invalid(`Line ${line + 1} of the ARPA file ${what}`, { line: line + 1 });
}

function invalid(what: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `${what}.`, details);
}
