import * as v from 'valibot';
import { languages, type ManifestLanguages } from '../../folder/languages-schema.js';
import type { BodyGraphFiles, ManifestVocabulary, ModelManifest, TokenizerNames } from '../../folder/manifest.js';
import {
  bodyGraphs,
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
  tokenizer,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** Which tokens outputs may have, by the tokens of their sources. */
export interface ManifestShortlist {
  /** File name of the lists. */
  readonly file: string;
  /** Lists are filled up to a multiple of this with the lowest token ids that they lack. */
  readonly multipleOf: number;
}

/** An encoder that reads a source and a decoder that writes an output. */
export interface EncoderDecoderManifest extends ModelManifest {
  /** The family's name. */
  readonly family: 'encoder-decoder';
  /** Files of the tokenizer; without one the model reads and writes token ids. */
  readonly tokenizer?: TokenizerNames | undefined;
  /** Tokens of outputs. */
  readonly vocabulary: ManifestVocabulary & { readonly endTokenId: number };
  /** Sizes of encoder and decoder. */
  readonly architecture: {
    /** Size of a state. */
    readonly width: number;
    /** Heads of the decoder's attention. */
    readonly heads: number;
    /** Numbers of each head. */
    readonly headWidth: number;
    /** Layers of the encoder. */
    readonly encoderLayers: number;
    /** Layers of the decoder. */
    readonly decoderLayers: number;
    /** Attention depends on the distance of tokens, and nothing else says where they are. */
    readonly byDistance?: boolean | undefined;
    /** Decoder layers keep one state of `width` numbers each in place of keys and values: they are recurrent, not attentive. */
    readonly recurrentDecoder?: boolean | undefined;
    /**
     * A token without a position, such as the padding of some models; it is not counted in sources. The tables of positions in the graphs
     * end with its row, zeros.
     */
    readonly unplacedTokenId?: number | undefined;
  };
  /** File names of the graphs. */
  readonly graphs: {
    /** Reads sources. */
    readonly encoder: string;
    /** Scores next tokens. */
    readonly step: BodyGraphFiles;
  };
  /** Whether the encoder embeds token ids itself, by a table of its own; else the vocabulary's graph does. */
  readonly embedsSources?: boolean | undefined;
  /** What the step can give. */
  readonly step: {
    /** Maximum of candidates for each node. */
    readonly maxCandidates: number;
  };
  /** Tokens that every output begins with, the start token first. */
  readonly beginning: readonly number[];
  /** Which tokens outputs may have, where sources say it. */
  readonly shortlist?: ManifestShortlist | undefined;
  /** How the model is told of languages, where it knows several. */
  readonly languages?: ManifestLanguages | undefined;
}

const flag: v.GenericSchema<boolean> = v.boolean();

export const encoderDecoderSchema: v.GenericSchema<unknown, EncoderDecoderManifest> = v.strictObject({
  ...heading,
  family: v.literal('encoder-decoder'),
  tokenizer: v.exactOptional(tokenizer),
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: tokenId, ...optionalTokens }),
  sourceVocabulary: v.exactOptional(
    v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  ),
  limits,
  architecture: v.strictObject({
    width: size,
    heads: integer(1, 1024),
    headWidth: integer(1, 4096),
    encoderLayers: layers,
    decoderLayers: layers,
    byDistance: v.exactOptional(flag),
    recurrentDecoder: v.exactOptional(flag),
    unplacedTokenId: v.exactOptional(tokenId),
  }),
  graphs: v.strictObject({ encoder: fileName, step: bodyGraphs as v.GenericSchema<BodyGraphFiles> }),
  embedsSources: v.exactOptional(flag),
  step: v.strictObject({ maxCandidates: candidates }),
  beginning: v.pipe(v.array(tokenId), v.minLength(1, 'one token at least'), v.maxLength(16)),
  // ONNX Runtime multiplies a lone row of a table in another order than several.
  shortlist: v.exactOptional(v.strictObject({ file: fileName, multipleOf: integer(2, 64) })),
  languages: v.exactOptional(languages),
  ...content,
});
