import { fields, type OptionReader, oneOf } from '@foretoken/core/kit';

/** How exporters name graphs by the precision of their weights, in the words of transformers.js. */
export const PRECISION_SUFFIXES = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
  q2: '_q2',
  q2f16: '_q2f16',
  q1: '_q1',
  q1f16: '_q1f16',
} as const;

/** The precision of an export's weights: `fp32`, `q8` and so on, as transformers.js calls them. */
export type ExportPrecision = keyof typeof PRECISION_SUFFIXES;

/** All of them. */
export const EXPORT_PRECISIONS: readonly ExportPrecision[] = Object.keys(PRECISION_SUFFIXES) as ExportPrecision[];

/** One precision for all graphs, or one each for `encoder` and `decoder`. */
export type ExportPrecisions =
  | ExportPrecision
  | { readonly encoder: ExportPrecision; readonly decoder: ExportPrecision };

const precision = oneOf(...EXPORT_PRECISIONS);
const each = fields<{ encoder: ExportPrecision; decoder: ExportPrecision }>(
  { encoder: precision, decoder: precision },
  ['encoder', 'decoder'],
);

/** Reads the option `precision`. Throws `INVALID_ARGUMENT`. */
export const exportPrecisions: OptionReader<ExportPrecisions> = (name, value) =>
  typeof value === 'object' ? each(name, value) : precision(name, value);
