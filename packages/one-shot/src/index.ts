export * from './ctc-greedy.js';
export * from './dag/index.js';
