export type { CtcPrefixBeamOptions } from './beam-options.js';
export * from './ctc-greedy.js';
export * from './ctc-prefix-beam.js';
export type { CtcRescoring } from './ctc-rescoring.js';
export type { HotWord } from './hot-words.js';
export type { LanguageModel } from './language-model.js';
export * from './token-language-model.js';
export * from './word-language-model.js';
