/** What those need who write folders of the families that come with the package. */
export { type CausalLanguageModelManifest, STEP_MODES } from './causal-lm/causal-manifest.js';
export type { BodyGraphFiles, HeadGraphFiles, MarianManifest } from './marian/marian-manifest.js';
export { VOCABULARY_MODES } from './marian/vocabulary-modes.js';
export type { MaskedLanguageModelManifest } from './masked-lm/masked-lm-manifest.js';
