export type { StopWhen } from './beam-row.js';
export * from './beam-search.js';
export type { LengthPenaltyOptions } from './length-penalty.js';
