export * from './graph-session.js';
export * from './key-value-store.js';
export * from './node-store.js';
export * from './onnx-runtime.js';
export * from './recurrent-store.js';
export * from './row-cache.js';
export * from './step-driver.js';
export * from './store-forest.js';
export { threadsOf } from './web-runtime.js';
