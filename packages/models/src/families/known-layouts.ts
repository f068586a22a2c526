/** What those need who write folders of the families that come with the package. */
export { STEP_MODES } from '../drivers/step-modes.js';
export type { ManifestLanguages } from '../folder/languages-schema.js';
export type { CausalLanguageModelManifest } from './causal-lm/causal-manifest.js';
export { CTC_BATCHES, type CtcManifest, type ManifestSound, SCORE_LAYOUTS } from './ctc/ctc-manifest.js';
export type { EncoderDecoderManifest } from './encoder-decoder/encoder-decoder-manifest.js';
export type { FillMaskManifest } from './fill-mask/fill-mask-manifest.js';
export type { MarianManifest, StudentFacts, StudentGraphs } from './marian/marian-manifest.js';
export type { MaskedLanguageModelManifest } from './masked-lm/masked-lm-manifest.js';
export { encodedStates, openRecurrentModel } from './recurrent/open-recurrent.js';
export {
  ENCODER_ROLES,
  type EncoderInput,
  type RecurrentManifest,
  STEP_ROLES,
  type StepInput,
} from './recurrent/recurrent-manifest.js';
export type { WhisperManifest } from './whisper/whisper-manifest.js';
