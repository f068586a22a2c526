export * from './ctc-greedy.js';
