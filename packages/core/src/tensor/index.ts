export * from './row-output.js';
export * from './ctc-best-path.js';
export * from './ctc-prefix.js';
