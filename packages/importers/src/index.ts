export type { ImportNote } from '@foretoken/models/folder';
export type { CtcImportOptions } from './adapters/ctc/ctc-options.js';
export { importCtcModel } from './adapters/ctc/import-ctc.js';
export { type AttributeValue, CONTRIB, GraphBuilder, type Value } from './graphs/graph-builder.js';
export { readGraphWeights } from './graphs/read-weights.js';
export { WeightStore } from './graphs/weight-store.js';
export { importModel } from './import-model.js';
export type { ImportOptions } from './import-options.js';
export type { Dense } from './tensors/matrices.js';
