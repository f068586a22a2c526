import * as v from 'valibot';
import { graphTensor, SCORE_VALUES, type ScoreValues, symbolTokenizer } from '../../folder/export-schema.js';
import type { GraphTensor, ManifestVocabulary, ModelManifest, SymbolTokenizerNames } from '../../folder/manifest.js';
import {
  candidates,
  content,
  fileName,
  heading,
  integer,
  limits,
  optional,
  optionalTokens,
  tokenId,
  vocabularySize,
} from '../../folder/manifest-schema.js';

/** Which sources a graph can read together without changing what it says of each. */
export const CTC_BATCHES = ['alone', 'equal-lengths', 'padded'] as const;
/** Order of the first two dimensions of scores. */
export const SCORE_LAYOUTS = ['batch-time', 'time-batch'] as const;

/** What samples of sound a graph hears. */
export interface ManifestSound {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Whether samples are scaled to the mean 0 and the variance 1 before the graph reads them. */
  readonly normalised: boolean;
}

/** A CTC model that others have exported: one graph from numbers to scores of each frame. */
export interface CtcManifest extends ModelManifest {
  readonly family: 'ctc';
  readonly tokenizer: SymbolTokenizerNames;
  /** Classes of the graph, the blank among them. */
  readonly vocabulary: ManifestVocabulary;
  /** File name of the graph. */
  readonly graphs: { readonly scores: string };
  /** What the graph is fed. */
  readonly inputs: {
    readonly values: GraphTensor;
    /** Lengths of sources, `[batch]`. */
    readonly lengths?: GraphTensor | undefined;
    /** 1 where a source is, `[batch, time]`. */
    readonly mask?: GraphTensor | undefined;
  };
  /** What the graph gives. */
  readonly outputs: {
    readonly scores: GraphTensor;
    /** Frames of each source, `[batch]`. */
    readonly lengths?: GraphTensor | undefined;
  };
  /** What a source is, and how its length becomes frames. */
  readonly frames: {
    /** Of one source; the null is time, and without one all sources are of one size. */
    readonly dims: readonly (number | null)[];
    readonly maxLength: number;
    readonly layout: (typeof SCORE_LAYOUTS)[number];
    readonly values: ScoreValues;
    readonly batches: (typeof CTC_BATCHES)[number];
    /** Length of a source for one frame of scores, about; a source of a fixed size is 1 long. */
    readonly stride: number;
  };
  /** Of a source of samples: what they are. Absent where the folder does not know, or the source is something else. */
  readonly sound?: ManifestSound | undefined;
  /** The blank, and how many candidates a frame gives. */
  readonly ctc: { readonly blankId: number; readonly maxCandidates: number };
}

export const ctcSchema: v.GenericSchema<unknown, CtcManifest> = v.strictObject({
  ...heading,
  family: v.literal('ctc'),
  tokenizer: symbolTokenizer,
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  limits,
  graphs: v.strictObject({ scores: fileName }),
  inputs: v.strictObject({ values: graphTensor, lengths: optional(graphTensor), mask: optional(graphTensor) }),
  outputs: v.strictObject({ scores: graphTensor, lengths: optional(graphTensor) }),
  frames: v.strictObject({
    dims: v.pipe(
      v.array(v.nullable(integer(1, 2 ** 24))),
      v.check(
        (dims) => dims.length >= 1 && dims.length <= 4 && dims.filter((size) => size === null).length <= 1,
        'dimensions, at most one of them null',
      ),
    ),
    maxLength: integer(1, 2 ** 28),
    layout: v.picklist(SCORE_LAYOUTS),
    values: v.picklist(SCORE_VALUES),
    batches: v.picklist(CTC_BATCHES),
    stride: v.pipe(v.number(), v.minValue(2 ** -24), v.maxValue(2 ** 20)),
  }),
  sound: v.exactOptional(v.strictObject({ sampleRate: integer(1, 1_000_000), normalised: v.boolean() })),
  ctc: v.strictObject({ blankId: tokenId, maxCandidates: candidates }),
  ...content,
});
