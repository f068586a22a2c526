import * as v from 'valibot';
import { isObject } from '../../folder/json.js';
import type {
  BodyGraphFiles,
  FillGraphFiles,
  HeadGraphFiles,
  ManifestVocabulary,
  ModelManifest,
  TokenizerNames,
} from '../../folder/manifest.js';
import {
  bodyGraphs,
  candidates,
  content,
  fileName,
  fill,
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

/** A Marian encoder and decoder, with any of the students that read the same encoder. */
export interface MarianManifest extends ModelManifest {
  readonly family: 'marian';
  readonly tokenizer: TokenizerNames;
  /** Tokens of sources and outputs; outputs are begun with `startTokenId`, which is not part of them. */
  readonly vocabulary: ManifestVocabulary & { readonly endTokenId: number; readonly startTokenId: number };
  /** Sizes of the network. */
  readonly architecture: {
    readonly width: number;
    readonly heads: number;
    readonly encoderLayers: number;
    readonly decoderLayers: number;
  };
  /** File names of the graphs. */
  readonly graphs: {
    readonly encoder: string;
    readonly step: HeadGraphFiles | BodyGraphFiles;
    readonly ctc?: string | undefined;
    /** The CTC student again, with 8-bit products: for drafting, where the output does not depend on it. */
    readonly ctcDraft?: string | undefined;
    /**
     * Encoder and CTC student in one graph with 8-bit products, from token ids: where speed counts more than the last digit.
     * Both may be cut short: the student need not be that of `ctc`, nor read the encoder's last layer.
     */
    readonly ctcFast?: string | undefined;
    /**
     * `open` runs once a batch of sources, a `fill` graph once a round. With `openHints` canvases read hints of the CTC student,
     * which is then there: `open` makes them and takes the inputs of `ctc` but `k`, `openHints` is given them as well.
     */
    readonly canvas?:
      | { readonly open: string; readonly openHints?: string | undefined; readonly fill: FillGraphFiles }
      | undefined;
    readonly dag?: string | undefined;
    readonly edit?:
      | {
          readonly open: string;
          readonly openHints?: string | undefined;
          readonly deletions: string;
          readonly placeholders: string;
          readonly fill: FillGraphFiles;
        }
      | undefined;
  };
  /** Goes with `graphs.step.topK`, `graphs.step.topKWithStates` and `graphs.step.body`. */
  readonly step?: { readonly maxCandidates: number } | undefined;
  /** Goes with `graphs.ctc`. */
  readonly ctc?: { readonly blankId: number; readonly upsample: number; readonly maxCandidates: number } | undefined;
  /** Goes with `graphs.canvas`. */
  readonly canvas?:
    | {
        readonly maskTokenId: number;
        readonly layers: number;
        /** Most positions of a canvas. */
        readonly maxLength: number;
        readonly maxCandidates: number;
        /** The length head, where there is one: class c means c - offset tokens more than the source has. */
        readonly lengths?: { readonly classes: number; readonly offset: number } | undefined;
      }
    | undefined;
  /** Goes with `graphs.dag`; vertex 0 says the start token. */
  readonly dag?:
    | { readonly startTokenId: number; readonly upsample: number; readonly maxCandidates: number }
    | undefined;
  /** Goes with `graphs.edit`; canvases begin with this start token. */
  readonly edit?:
    | {
        readonly placeholderTokenId: number;
        readonly startTokenId: number;
        readonly layers: number;
        /** Most positions of a canvas, boundary tokens included. */
        readonly maxLength: number;
        readonly maxCandidates: number;
      }
    | undefined;
  /** File name of an n-gram model of the target's outputs, for drafting. */
  readonly ngrams?: string | undefined;
  /** File name of the shortlist that `graphs.ctcDraft` is fed from. */
  readonly shortlist?: string | undefined;
}

/** File names of the graphs of students that read an encoder. */
export type StudentGraphs = Pick<MarianManifest['graphs'], 'ctc' | 'ctcDraft' | 'ctcFast' | 'canvas' | 'dag' | 'edit'>;

/** What a manifest says of students that read an encoder. */
export type StudentFacts = Pick<MarianManifest, 'ctc' | 'canvas' | 'dag' | 'edit'>;

const upsample = integer(1, 64);
const headGraphs: v.GenericSchema<unknown, HeadGraphFiles | BodyGraphFiles> = v.strictObject({
  argmax: fileName,
  topK: v.exactOptional(fileName),
  topKWithStates: v.exactOptional(fileName),
  logProbs: v.exactOptional(fileName),
  logits: v.exactOptional(fileName),
});
const opens = { open: fileName, openHints: v.exactOptional(fileName) };

export const marianSchema: v.GenericSchema<unknown, MarianManifest> = v.strictObject({
  ...heading,
  family: v.literal('marian'),
  tokenizer,
  vocabulary: v.strictObject({
    size: vocabularySize,
    endTokenId: tokenId,
    startTokenId: tokenId,
    ...optionalTokens,
  }),
  limits,
  architecture: v.strictObject({ width: size, heads: size, encoderLayers: layers, decoderLayers: layers }),
  graphs: v.strictObject({
    encoder: fileName,
    step: v.lazy((value) => (isObject(value) && Object.hasOwn(value, 'body') ? bodyGraphs : headGraphs)),
    ctc: v.exactOptional(fileName),
    ctcDraft: v.exactOptional(fileName),
    ctcFast: v.exactOptional(fileName),
    canvas: v.exactOptional(v.strictObject({ ...opens, fill })),
    dag: v.exactOptional(fileName),
    edit: v.exactOptional(v.strictObject({ ...opens, deletions: fileName, placeholders: fileName, fill })),
  }),
  step: v.exactOptional(v.strictObject({ maxCandidates: candidates })),
  ctc: v.exactOptional(v.strictObject({ blankId: tokenId, upsample, maxCandidates: candidates })),
  canvas: v.exactOptional(
    v.strictObject({
      maskTokenId: tokenId,
      layers,
      maxLength: size,
      maxCandidates: candidates,
      lengths: v.exactOptional(v.strictObject({ classes: size, offset: integer(0, 65_536) })),
    }),
  ),
  dag: v.exactOptional(v.strictObject({ startTokenId: tokenId, upsample, maxCandidates: candidates })),
  edit: v.exactOptional(
    v.strictObject({
      placeholderTokenId: tokenId,
      startTokenId: tokenId,
      layers,
      // The boundary tokens alone take two.
      maxLength: integer(2, 65_536),
      maxCandidates: candidates,
    }),
  ),
  ngrams: v.exactOptional(fileName),
  shortlist: v.exactOptional(fileName),
  ...content,
});
