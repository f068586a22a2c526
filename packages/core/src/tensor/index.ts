export * from './ctc-best-path.js';
export * from './ctc-prefix.js';
export * from './ngram-model.js';
export * from './row-output.js';
