import {
  flag,
  integer,
  listOf,
  type OptionReader,
  type OptionTable,
  oneOf,
  text,
  wrongValue,
} from '@foretoken/core/kit';
import {
  CTC_BATCHES,
  EXPORT_PRECISIONS,
  type ExportPrecision,
  filePath,
  isFileUrl,
  SCORE_LAYOUTS,
  SCORE_VALUES,
  type ScoreValues,
} from '@foretoken/models/internal';
import { TARGET_OPTIONS, type TargetOptions } from '../../target-options.js';

/** Options of `importCtcModel`. What is left out is found by running the graph; what is told is checked by it. */
export interface CtcImportOptions extends TargetOptions {
  /**
   * The labels: a list; or a file, one a line (`keys.txt`), one with its id a line in any order (`tokens.txt`), a JSON list, a JSON
   * object of ids by label (`vocab.json`, with the files of its tokenizer beside it), or a JSON object of such by language. They must fit the classes
   * of the graph. Default: `vocab.json` or `tokens.txt` beside the graph.
   */
  readonly dictionary?: string | readonly string[] | undefined;
  /** Of a folder with graphs in several precisions: which is taken; default `fp32`, or the only one. */
  readonly precision?: ExportPrecision | undefined;
  /** Of a dictionary of several languages, as that of MMS: the one that the graph was exported for, by its name in the dictionary. */
  readonly language?: string | undefined;
  /** The class that says nothing, or its label where the dictionary lists it. Default: the label that is called so, else found. */
  readonly blank?: number | string | undefined;
  /**
   * Whether a space is the last class though the dictionary does not list it, as in PaddleOCR models. It must be told where the
   * dictionary lists neither blank nor space.
   */
  readonly space?: 'none' | 'last' | undefined;
  /** The label that reads as a space; default `<space>`, the one that the tokenizer's files say, or `|` where ids are given. */
  readonly wordBoundary?: string | undefined;
  /** Text between labels; default nothing, and a blank where the files beside a `vocab.json` say that its labels are phonemes. */
  readonly joiner?: string | undefined;
  /** Dimensions of a source where the graph leaves more than time open; the null is time. */
  readonly dims?: readonly (number | null)[] | undefined;
  /** Longest source; default 4,194,304 samples, or 16,384 frames or columns. */
  readonly maxLength?: number | undefined;
  /** Of a graph that hears samples: how many a second; default what `preprocessor_config.json` beside graph or dictionary says. */
  readonly sampleRate?: number | undefined;
  /** Whether samples are scaled to the mean 0 and the variance 1 first; default as that file says, and false without it. */
  readonly normalise?: boolean | undefined;
  /** What the scores are; default: what running the graph shows. */
  readonly values?: ScoreValues | undefined;
  /** Which dimension of the scores is which; default: what running the graph shows. */
  readonly layout?: (typeof SCORE_LAYOUTS)[number] | undefined;
  /** Which sources may be read together. */
  readonly batches?: (typeof CTC_BATCHES)[number] | undefined;
  /** The output that holds the scores, where there are several of three dimensions. */
  readonly output?: string | undefined;
}

const dictionary: OptionReader<string | readonly string[]> = (name, value) =>
  typeof value === 'string' || isFileUrl(value) ? filePath(name, value) : listOf(text)(name, value);

const blank: OptionReader<number | string> = (name, value) =>
  typeof value === 'string' ? value : integer(0)(name, value);

const dims: OptionReader<readonly (number | null)[]> = (name, value) => {
  // A copy without holes.
  const sizes: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [];
  const open = sizes.filter((size) => size === null);
  if (open.length !== 1 || !sizes.every((size) => size === null || (Number.isInteger(size) && Number(size) > 0))) {
    throw wrongValue(name, value, 'dimensions of a source, of which one is null, such as [3, 48, null]');
  }
  return sizes as readonly (number | null)[];
};

export const CTC_OPTIONS: OptionTable<CtcImportOptions> = {
  dictionary,
  precision: oneOf(...EXPORT_PRECISIONS),
  language: text,
  blank,
  space: oneOf('none', 'last'),
  wordBoundary: text,
  joiner: text,
  dims,
  maxLength: integer(1, 2 ** 28),
  sampleRate: integer(1, 1_000_000),
  normalise: flag,
  values: oneOf(...SCORE_VALUES),
  layout: oneOf(...SCORE_LAYOUTS),
  batches: oneOf(...CTC_BATCHES),
  output: text,
  ...TARGET_OPTIONS,
};
