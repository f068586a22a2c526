import type { ExportPrecision } from '@foretoken/models';

/** As transformers.js calls them; known here too, so that help waits for no package. */
export const PRECISIONS: readonly ExportPrecision[] = [
  'fp32',
  'fp16',
  'q8',
  'int8',
  'uint8',
  'q4',
  'q4f16',
  'bnb4',
  'q2',
  'q2f16',
  'q1',
  'q1f16',
];
