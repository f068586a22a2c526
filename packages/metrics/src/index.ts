export { type BleuScore, corpusBleu, sentenceBleu } from './bleu.js';
export * from './chrf.js';
export { MetricsError, type MetricsErrorCode, type References } from './corpus.js';
export * from './text-lines.js';
export * from './tokenize-13a.js';
