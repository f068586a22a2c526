/**
 * What Foretoken's own packages of the same version need of this one: readers, formats, refusals. It is no part of the public API: it may
 * change with any release, and what it is given is checked where it comes from, not here.
 */

export { FLOAT_TYPES, type FloatType, floatReader, floatTensor, isFloatType } from '../drivers/float-tensor.js';
export { NGRAMS_FILE, readNgrams } from '../drivers/ngrams.js';
export { numberTensor } from '../drivers/number-tensor.js';
export { readShortlist, SHORTLIST_FILE, type Shortlist } from '../drivers/shortlist.js';
export type { ShortlistTables } from '../drivers/source-shortlist.js';
export { VOCABULARY_MODES } from '../drivers/vocabulary-modes.js';
export * from '../families/known-layouts.js';
export {
  CONFIG,
  type ConfigFiles,
  type FieldOrigin,
  type FileReader,
  GENERATION_CONFIG,
  originOf,
} from '../hugging-face/config-files.js';
export { configInteger } from '../hugging-face/config-integer.js';
export {
  type CausalGenerationFacts,
  type ExportGenerationFacts,
  type GenerationFacts,
  type ImportNote,
  readCausalGeneration,
  readExportGeneration,
  readGeneration,
  readPadding,
  readSpeechGeneration,
  type SpeechGenerationFacts,
} from '../hugging-face/generation-config.js';
export { isMultilingual, type LanguageFacts, type LanguageSources, readLanguages } from '../hugging-face/languages.js';
export { PREPROCESSOR, readPreprocessor, scaledSamples } from '../hugging-face/preprocessor-config.js';
export { readSpeechTokens } from '../hugging-face/speech-tokens.js';
export { readTokenizerConfig, refusedTokenizerConfig } from '../hugging-face/tokenizer-config.js';
export { readNumberedPieces, readTokenizerFiles, type TokenizerFiles } from '../hugging-face/tokenizer-files.js';
export { allocate, type FilePlace } from '../io/collect-pieces.js';
export { adviceForFile } from '../node/advice-for-file.js';
export { filePath, isFileUrl } from '../node/file-path.js';
export { holdsWeights } from '../node/holds-weights.js';
export { hubFolder, isHubLocation } from '../node/hub-folder.js';
export { improvedGraphs } from '../node/kept-graphs.js';
export { locateModel } from '../node/locate-model.js';
export { onnxruntimeNode } from '../node/onnxruntime-node.js';
export { openModelFolder, resolveFolder } from '../node/open-model-folder.js';
export {
  type OpenFile,
  openRegularFile,
  readExactly,
  readRegularFile,
} from '../node/safe-file.js';
export { graphsAmong, weightsAmong } from '../node/weights-names.js';
export { ELEMENT_TYPE, type ElementType } from '../onnx/element-type.js';
export { describeGraph, type GraphDescription, type GraphValue } from '../onnx/graph-description.js';
export { MAX_TEMPLATE } from '../processors/chat.js';
export { textAfterTurn } from '../processors/turn-end.js';
export { type NamedTokens, readNamedTokens } from '../tokenizer/named-tokens.js';
export { readPieceModel } from '../tokenizer/sentencepiece/piece-model.js';
export type { Symbols } from '../tokenizer/symbols.js';
export { bfloat16BitsToFloat32, float16BitsToFloat32 } from '../weights/float16.js';
export {
  DTYPE_BYTES,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  refuseWeights,
  type TensorPlace,
  toFloat32,
  type WeightDtype,
  type WeightTensor,
} from '../weights/safetensors.js';
export { float32ToFloat16Bits } from '../weights/to-float16.js';
export { EXPORT_PRECISIONS, type ExportPrecision, PRECISION_SUFFIXES } from './export-precisions.js';
export { SCORE_VALUES, type ScoreValues } from './export-schema.js';
export { externalFiles } from './external-data.js';
export { FOREIGN_BYTES, foreignContent } from './foreign-content.js';
export { decodeUtf8, isObject, MAX_NESTING, parseJson } from './json.js';
export {
  type BodyGraphFiles,
  FILE_BYTES,
  type FileRecord,
  type FillGraphFiles,
  GRAPH_BYTES,
  type GraphTensor,
  type HeadGraphFiles,
  MANIFEST_BYTES,
  type PieceTokenizerNames,
  type SymbolTokenizerNames,
  TOKENIZER_BYTES,
  type TokenizerNames,
} from './manifest.js';
export type { ModelFolder } from './model-folder.js';
export * from './public.js';
export {
  errorCode,
  invalidFolder,
  printableValue,
  quote,
  type RefusalDetails,
  reason,
  unsupportedModel,
} from './refusal.js';
export { assertTarget } from './write-folder.js';
