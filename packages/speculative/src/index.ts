export { chainDraft, EMPTY_DRAFT } from '@foretoken/core/kit';
export * from './combine-drafters.js';
export type { CopiedFrom } from './copied-sources.js';
export * from './copy-drafter.js';
export * from './lattice-drafter.js';
export * from './ngram-drafter.js';
export * from './speculative.js';
export * from './statistics-of-others.js';
