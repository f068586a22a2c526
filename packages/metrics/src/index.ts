export * from './bleu.js';
export * from './chrf.js';
export * from './corpus.js';
export * from './text-lines.js';
export * from './tokenize-13a.js';
