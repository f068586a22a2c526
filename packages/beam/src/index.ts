export * from './beam-search.js';
export * from './contrastive-search.js';
export type { StopWhen } from './finished-list.js';
export type { LengthPenaltyOptions } from './length-penalty.js';
export * from './minimum-bayes-risk.js';
export * from './stochastic-beam.js';
