import * as v from 'valibot';
import type { ManifestVocabulary, ModelManifest } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fileName,
  heading,
  integer,
  layers,
  limits,
  optionalTokens,
  size,
  tokenId,
  vocabularySize,
} from '../../folder/manifest-schema.js';
import { type ManifestSpectrum, type ManifestSpeech, spectrum, speech } from '../../folder/speech-schema.js';

/** A Whisper model: it reads a window of sound and writes what is said in it. */
export interface WhisperManifest extends ModelManifest {
  readonly family: 'whisper';
  readonly tokenizer: string;
  readonly vocabulary: ManifestVocabulary & { readonly endTokenId: number; readonly startTokenId: number };
  /** Sizes of the network: of a state, and counts of heads and layers. */
  readonly architecture: {
    readonly width: number;
    /** Of the decoder. */
    readonly heads: number;
    readonly encoderLayers: number;
    readonly decoderLayers: number;
  };
  /** The spectrum of a window of sound. */
  readonly audio: ManifestSpectrum;
  /** Tokens that say what is to be done. */
  readonly speech: ManifestSpeech;
  /** Files of the graphs. */
  readonly graphs: { readonly encoder: string; readonly step: string };
  /** Largest `k` that a step can be asked for. */
  readonly step: { readonly maxCandidates: number };
}

export const whisperSchema: v.GenericSchema<unknown, WhisperManifest> = v.strictObject({
  ...heading,
  family: v.literal('whisper'),
  tokenizer: fileName,
  vocabulary: v.strictObject({
    size: vocabularySize,
    endTokenId: tokenId,
    startTokenId: tokenId,
    ...optionalTokens,
  }),
  limits,
  architecture: v.strictObject({ width: size, heads: integer(1, 1024), encoderLayers: layers, decoderLayers: layers }),
  audio: spectrum,
  speech,
  graphs: v.strictObject({ encoder: fileName, step: fileName }),
  step: v.strictObject({ maxCandidates: candidates }),
  ...content,
}) as v.GenericSchema<unknown, WhisperManifest>;
