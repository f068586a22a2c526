import * as v from 'valibot';
import type { FillGraphFiles, ManifestVocabulary, ModelManifest, TokenizerNames } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fill,
  heading,
  layers,
  limits,
  optionalTokens,
  size,
  tokenId,
  tokenizer,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** A masked language model: it fills canvases and reads no source. `limits` are both those of a canvas. */
export interface MaskedLanguageModelManifest extends ModelManifest {
  readonly family: 'masked-lm';
  readonly tokenizer: TokenizerNames;
  /** Tokens of canvases. */
  readonly vocabulary: ManifestVocabulary;
  /** Sizes of the network. */
  readonly architecture: { readonly width: number; readonly heads: number; readonly layers: number };
  /** File names of the graphs. */
  readonly graphs: { readonly fill: FillGraphFiles };
  /** The mask, and how many candidates a position gives. */
  readonly canvas: { readonly maskTokenId: number; readonly maxCandidates: number };
}

export const maskedLanguageModelSchema: v.GenericSchema<unknown, MaskedLanguageModelManifest> = v.strictObject({
  ...heading,
  family: v.literal('masked-lm'),
  tokenizer,
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  limits,
  architecture: v.strictObject({ width: size, heads: size, layers }),
  graphs: v.strictObject({ fill }),
  canvas: v.strictObject({ maskTokenId: tokenId, maxCandidates: candidates }),
  ...content,
});
