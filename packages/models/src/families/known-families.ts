import type { ModelFamily } from './family.js';

/** The families that come with the package: the one list of them. The code of each is loaded with the first folder of it. */
export const KNOWN_FAMILIES: Readonly<Record<string, () => Promise<ModelFamily>>> = {
  // What these read and give is their own; whoever loads a folder of it says so.
  'causal-lm': async () =>
    (await import('./causal-lm/causal-family.js')).causalLanguageModelFamily as unknown as ModelFamily,
  'encoder-decoder': async () =>
    (await import('./encoder-decoder/encoder-decoder-family.js')).encoderDecoderFamily as unknown as ModelFamily,
  ctc: async () => (await import('./ctc/ctc-family.js')).ctcFamily as unknown as ModelFamily,
  'fill-mask': async () => (await import('./fill-mask/fill-mask-family.js')).fillMaskFamily as unknown as ModelFamily,
  marian: async () => (await import('./marian/marian-family.js')).marianFamily,
  'masked-lm': async () => (await import('./masked-lm/masked-lm-family.js')).maskedLanguageModelFamily,
  'onnx-export': async () =>
    (await import('./onnx-export/export-family.js')).onnxExportFamily as unknown as ModelFamily,
  recurrent: async () => (await import('./recurrent/recurrent-family.js')).recurrentFamily,
  whisper: async () => (await import('./whisper/whisper-family.js')).whisperFamily as unknown as ModelFamily,
};
