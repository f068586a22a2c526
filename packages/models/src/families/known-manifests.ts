/** Public types of the families that come with the package. */

export type { FloatSource } from '../drivers/float-source.js';
export type { CausalLanguageModelManifest } from './causal-lm/causal-manifest.js';
export type { CtcManifest, ManifestSound } from './ctc/ctc-manifest.js';
export type { CtcInput, CtcOutput } from './ctc/ctc-processor.js';
export type { EncoderDecoderManifest } from './encoder-decoder/encoder-decoder-manifest.js';
export type { FillMaskManifest } from './fill-mask/fill-mask-manifest.js';
export type { FillMaskOutput, MaskCandidate, MaskFill } from './fill-mask/fill-mask-processor.js';
export type { MarianManifest } from './marian/marian-manifest.js';
export type { MaskedLanguageModelManifest } from './masked-lm/masked-lm-manifest.js';
export type { RecurrentManifest } from './recurrent/recurrent-manifest.js';
export type { WhisperManifest } from './whisper/whisper-manifest.js';
