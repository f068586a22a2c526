export type { ModelDescription, ModelFamily, OpenContext, ProcessorContext } from './families/family.js';
export type * from './families/known-manifests.js';
export { familyNames, familyOf, registerFamily } from './families/registry.js';
export type { ExportPrecision, ExportPrecisions } from './folder/export-precisions.js';
export type { FileRecord, ModelManifest } from './folder/manifest.js';
export type { ModelFolder, ReadProgress } from './folder/model-folder.js';
export { manifestSchema, type OwnFields } from './folder/own-schema.js';
export { type FetchInit, type FetchOptions, fetchFolder } from './io/fetch.js';
export type { FileCache } from './io/file-cache.js';
export { memoryFolder } from './io/memory.js';
export type { Hasher, ModelIo, OpenedFile, OpenOptions } from './io/model-io.js';
export type { LoadedModel, LoadOptions, LoadProgress } from './load-model.js';
export { readGraph } from './onnx/read-graph.js';
export type { PartDecoder } from './parts/bind-decoder.js';
export type {
  OpenedPart,
  OpenedPartOf,
  PartKind,
  PartModels,
  PartName,
  PartOptions,
  PartVariant,
} from './parts/model-part.js';
export { ModelParts, type NoOptions, type SpeculationParts } from './parts/model-parts.js';
export type { ModelLocation } from './platform.js';
export type { Chat, ChatMessage, PromptInput, TextInLanguages, TextInput } from './processors/chat.js';
export {
  InputDecoding,
  type InputHypothesis,
  type InputOptions,
  type InputResult,
} from './processors/input-decoding.js';
export type { Processor, SourceReading, TextOutput } from './processors/processor.js';
export { TextDeltas } from './processors/text-deltas.js';
export { textBeginningProcessor, textProcessor } from './processors/text-processor.js';
export type { GraphImprover } from './rebuild.js';
export type { TokenReader } from './tokenizer/read-tokens.js';
export type { TextTokenizer } from './tokenizer/text-tokenizer.js';
export type { TextUse } from './tokenizer/text-use.js';
