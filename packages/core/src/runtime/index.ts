export * from './graph-session.js';
export * from './key-value-forest.js';
export * from './onnx-runtime.js';
export * from './row-cache.js';
export * from './step-driver.js';
export * from './tree-row.js';
