export { type CacheType, type CacheValues, cacheTensor, cacheValuesOf, cacheZeros } from './cache-values.js';
export {
  assertProviders,
  type ExecutionProvider,
  type ExecutionProviderSettings,
  executionProviders,
} from './execution-providers.js';
export { assertRows } from './forest-refusals.js';
export * from './graph-session.js';
export * from './hidden.js';
export * from './key-value-store.js';
export * from './node-store.js';
export * from './onnx-runtime.js';
export { gatherPaths, type PathBlock, type PathPart, type PathPlace } from './path-blocks.js';
export * from './path-store.js';
export * from './recurrent-store.js';
export * from './row-cache.js';
export * from './scored-logits.js';
export * from './steady-slots.js';
export * from './step-driver.js';
export * from './store-forest.js';
export type { JoiningRows, SharedPrompts, StoreForestOptions } from './store-forest-options.js';
export type { SlotMove, TreeRow } from './tree-row.js';
export { threadsOf } from './web-runtime.js';
