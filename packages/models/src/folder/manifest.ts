/** Name of the manifest in every model folder. */
export const MANIFEST_FILE = 'foretoken.json';
/** Most bytes of the manifest. */
export const MANIFEST_BYTES: number = 1024 ** 2;
/** Most bytes of a tokenizer file. */
export const TOKENIZER_BYTES: number = 64 * 1024 ** 2;
/** Most bytes of a graph, weights in other files apart: protobuf's own limit. */
export const GRAPH_BYTES: number = 2 ** 31 - 1;
/** Most bytes of any file of a folder. */
export const FILE_BYTES: number = 16 * 1024 ** 3;

/** Size and SHA-256 digest (hexadecimal) a file must have before anything parses it. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

/** What the manifests of all families state. */
interface CommonManifest {
  readonly format: 'foretoken-model';
  readonly formatVersion: 1;
  readonly name: string;
  readonly description: string;
  /** Licence of the weights. */
  readonly licence: string;
  /** File name of the tokenizer. */
  readonly tokenizer: string;
  /** Most positions, in tokens, the end token and the start token included. */
  readonly limits: { readonly sourceLength: number; readonly targetLength: number };
  /** Every file of the model by name, this manifest apart. */
  readonly files: Readonly<Record<string, FileRecord>>;
  /** Free facts about the training. */
  readonly training?: Readonly<Record<string, unknown>>;
}

interface CommonVocabulary {
  readonly size: number;
  readonly endTokenId: number;
  readonly padTokenId?: number;
  readonly unknownTokenId?: number;
}

/** Graphs that predict the tokens of a canvas, one for each output kind; top-k is always there. */
export interface FillGraphFiles {
  readonly topK: string;
  readonly argmax?: string;
  readonly logProbs?: string;
}

/** A Marian encoder and decoder, with any of the students that read the same encoder. */
export interface MarianManifest extends CommonManifest {
  readonly family: 'marian';
  readonly vocabulary: CommonVocabulary & { readonly startTokenId: number };
  readonly architecture: {
    readonly width: number;
    readonly heads: number;
    readonly encoderLayers: number;
    readonly decoderLayers: number;
  };
  /** File names of the graphs. */
  readonly graphs: {
    readonly encoder: string;
    /** One graph for each output kind; argmax is always there. */
    readonly step: {
      readonly argmax: string;
      readonly topK?: string;
      readonly topKWithStates?: string;
      readonly logProbs?: string;
      readonly logits?: string;
    };
    readonly ctc?: string;
    /** The CTC student again, with 8-bit products: for drafting, where the output does not depend on it. */
    readonly ctcDraft?: string;
    /**
     * Encoder and CTC student in one graph with 8-bit products, from token ids: where speed counts more than the last digit.
     * Both may be cut short: the student need not be that of `ctc`, nor read the encoder's last layer.
     */
    readonly ctcFast?: string;
    /**
     * `open` runs once a batch of sources, a `fill` graph once a round. With `openDrafts` canvases read drafts of the CTC student,
     * which is then there: `open` makes them and takes the inputs of `ctc` but `k`, `openDrafts` is given them as well.
     */
    readonly canvas?: { readonly open: string; readonly openDrafts?: string; readonly fill: FillGraphFiles };
    readonly dag?: string;
    readonly edit?: {
      readonly open: string;
      readonly openDrafts?: string;
      readonly deletions: string;
      readonly placeholders: string;
      readonly fill: FillGraphFiles;
    };
  };
  /** Goes with `graphs.step.topK` and `graphs.step.topKWithStates`. */
  readonly step?: { readonly maxCandidates: number };
  /** Goes with `graphs.ctc`. */
  readonly ctc?: { readonly blankId: number; readonly upsample: number; readonly maxCandidates: number };
  /** Goes with `graphs.canvas`. */
  readonly canvas?: {
    readonly maskTokenId: number;
    readonly layers: number;
    /** Most positions of a canvas. */
    readonly maxLength: number;
    readonly maxCandidates: number;
    /** The length head, where there is one: class c means c - offset tokens more than the source has. */
    readonly lengths?: { readonly classes: number; readonly offset: number };
  };
  /** Goes with `graphs.dag`; vertex 0 says the start token. */
  readonly dag?: { readonly startTokenId: number; readonly upsample: number; readonly maxCandidates: number };
  /** Goes with `graphs.edit`; canvases begin with this start token. */
  readonly edit?: {
    readonly placeholderTokenId: number;
    readonly startTokenId: number;
    readonly layers: number;
    /** Most positions of a canvas, boundary tokens included. */
    readonly maxLength: number;
    readonly maxCandidates: number;
  };
  /** File name of an n-gram model of the target's outputs, for drafting. */
  readonly ngrams?: string;
  /** File name of the shortlist that `graphs.ctcDraft` is fed from. */
  readonly shortlist?: string;
}

/** A masked language model: it fills canvases and reads no source. `limits` are both those of a canvas. */
export interface MaskedLanguageModelManifest extends CommonManifest {
  readonly family: 'masked-lm';
  readonly vocabulary: CommonVocabulary;
  readonly architecture: { readonly width: number; readonly heads: number; readonly layers: number };
  readonly graphs: { readonly fill: FillGraphFiles };
  readonly canvas: { readonly maskTokenId: number; readonly maxCandidates: number };
}

/** Content of `foretoken.json`: what a model folder holds and, by its family, how its graphs are to be driven. */
export type ModelManifest = MarianManifest | MaskedLanguageModelManifest;

/** A manifest before the files are written. */
export type ManifestContent = Omit<MarianManifest, 'files'> | Omit<MaskedLanguageModelManifest, 'files'>;
