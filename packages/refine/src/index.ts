export { type EasyFirstOptions, easyFirst } from './easy-first.js';
export type { LatticeDraft } from './lattice-draft.js';
export { type InsertionOptions, insertion, type LevenshteinOptions, levenshtein } from './levenshtein.js';
export { type MaskCtcOptions, maskCtc } from './mask-ctc.js';
export { type MaskPredictOptions, maskPredict } from './mask-predict.js';
export { type MaskSchedule, maskedCount } from './mask-schedule.js';
export { type MaskedDiffusionOptions, maskedDiffusion } from './masked-diffusion.js';
export { type SkeletonFirstOptions, skeletonFirst } from './skeleton-first.js';
export type { UnmaskOrder } from './unmask-order.js';
