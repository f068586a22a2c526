export * from './greedy-decoder.js';
