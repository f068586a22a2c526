export * from './combine-drafters.js';
export * from './copy-drafter.js';
export { chainDraft, EMPTY_DRAFT } from './draft-tree.js';
export * from './lattice-drafter.js';
export * from './ngram-drafter.js';
export * from './speculative.js';
