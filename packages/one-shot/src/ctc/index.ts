export type { CtcPrefixBeamOptions } from './beam-options.js';
export * from './ctc-greedy.js';
export * from './ctc-prefix-beam.js';
export type { CtcRescoring } from './ctc-rescoring.js';
