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
  optional,
  optionalTokens,
  size,
  tokenId,
  vocabularySize,
} from '../../folder/manifest-schema.js';

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
  /** Log-mel spectrum of a window: bands, and frames of 10 ms. */
  readonly audio: { readonly mels: number; readonly frames: number };
  /** Tokens that say what is to be done; languages and tasks are absent where the model knows one of each. */
  readonly speech: {
    readonly noTimestampsTokenId: number;
    /** That of 0 s; the following ones are 20 ms apart. Absent where the vocabulary has none. */
    readonly firstTimestampTokenId?: number | undefined;
    readonly transcribeTokenId?: number | undefined;
    readonly translateTokenId?: number | undefined;
    /** By code, such as `en`. */
    readonly languages?: Readonly<Record<string, number>> | undefined;
  };
  /** Files of the graphs. */
  readonly graphs: { readonly encoder: string; readonly step: string };
  /** Largest `k` that a step can be asked for. */
  readonly step: { readonly maxCandidates: number };
}

const language: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[a-z]{2,3}$/, 'the code of a language'));

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
  audio: v.strictObject({ mels: integer(1, 1024), frames: integer(2, 65_536) }),
  speech: v.strictObject({
    noTimestampsTokenId: tokenId,
    firstTimestampTokenId: optional(tokenId),
    transcribeTokenId: optional(tokenId),
    translateTokenId: optional(tokenId),
    languages: v.exactOptional(v.record(language, tokenId)),
  }),
  graphs: v.strictObject({ encoder: fileName, step: fileName }),
  step: v.strictObject({ maxCandidates: candidates }),
  ...content,
}) as v.GenericSchema<unknown, WhisperManifest>;
