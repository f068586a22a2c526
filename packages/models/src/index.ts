export type { MarianManifest, MaskedLanguageModelManifest, ModelManifest } from './folder/manifest.js';
export { type ModelFolder, openModelFolder } from './folder/read-folder.js';
export { type ImportOptions, importModel } from './import-model.js';
export type { Dense } from './importers/matrices.js';
export { type LoadedModel, type LoadOptions, loadModel } from './load-model.js';
export { type AttributeValue, CONTRIB, GraphBuilder, type Value } from './onnx/graph-builder.js';
export { readGraphWeights } from './onnx/read-weights.js';
export { WeightStore } from './onnx/weight-store.js';
export type { TextTokenizer } from './tokenizer/text-tokenizer.js';
