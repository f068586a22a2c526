import * as v from 'valibot';
import type { ManifestVocabulary, ModelManifest } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fileName,
  heading,
  layers,
  limits,
  optionalTokens,
  size,
  tokenId,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** A masked language model that reads a text with masks in it; canvases are what stands at the masks. `limits` are both those of the whole text. */
export interface FillMaskManifest extends ModelManifest {
  readonly family: 'fill-mask';
  readonly tokenizer: string;
  /** Tokens of texts and of what fills them. */
  readonly vocabulary: ManifestVocabulary;
  /** Sizes of the network. */
  readonly architecture: {
    readonly width: number;
    readonly heads: number;
    readonly layers: number;
    /** A token that takes no position from those behind it, such as the padding of some models; it is placed before them all. */
    readonly unplacedTokenId?: number | undefined;
  };
  /** One graph scores the masks, whatever is asked of it. */
  readonly graphs: { readonly fill: string };
  /** The mask, how texts spell it, and how many candidates a mask has. */
  readonly canvas: { readonly maskTokenId: number; readonly mask: string; readonly maxCandidates: number };
}

const spelled: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^[^\p{Cc}\p{Cf}]{1,64}$/u, '1 to 64 characters without control characters'),
);

export const fillMaskSchema: v.GenericSchema<unknown, FillMaskManifest> = v.strictObject({
  ...heading,
  family: v.literal('fill-mask'),
  tokenizer: fileName,
  vocabulary: v.strictObject({ size: vocabularySize, ...optionalTokens }),
  limits,
  architecture: v.strictObject({ width: size, heads: size, layers, unplacedTokenId: v.exactOptional(tokenId) }),
  graphs: v.strictObject({ fill: fileName }),
  canvas: v.strictObject({ maskTokenId: tokenId, mask: spelled, maxCandidates: candidates }),
  ...content,
});
