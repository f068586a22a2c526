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
  /** Its size. */
  readonly bytes: number;
  /** Its SHA-256 digest, 64 hexadecimal digits in lower case. */
  readonly sha256: string;
}

/** Tokens that the folder's models and its tokenizer agree on. */
export interface ManifestVocabulary {
  readonly size: number;
  /** Absent where no token ends outputs. */
  readonly endTokenId?: number | undefined;
  readonly padTokenId?: number | undefined;
  readonly unknownTokenId?: number | undefined;
}

/** File names of a tokenizer of two SentencePiece models, or one twice, and the token ids of their pieces. */
export interface PieceTokenizerNames {
  /** The SentencePiece model of the sources. */
  readonly source: string;
  /** The SentencePiece model of the outputs. */
  readonly target: string;
  /** The token ids of pieces. */
  readonly vocabulary: string;
  /** Token ids of the target's pieces, where they are not those of the source's. */
  readonly targetVocabulary?: string | undefined;
}

/** File name of lists of symbols, such as characters or phonemes. */
export interface SymbolTokenizerNames {
  /** The lists, a JSON file. */
  readonly symbols: string;
}

/** A tokenizer.json, or the files that take its place. */
export type TokenizerNames = string | PieceTokenizerNames | SymbolTokenizerNames;

/**
 * Content of `foretoken.json`: what a model folder holds. What is stated here the manifests of all families state; a family
 * adds its own, which says how its graphs are to be driven.
 */
export interface ModelManifest {
  /** Says that it is one. */
  readonly format: 'foretoken-model';
  /** Grows when what a manifest means changes. */
  readonly formatVersion: 1;
  /** What the model is called; for people. */
  readonly name: string;
  /** What it does; for people. */
  readonly description: string;
  /** Licence of the weights. */
  readonly licence: string;
  /** Name of the family; see `registerFamily`. */
  readonly family: string;
  /** File name of a tokenizer.json, or the files that take its place; absent in families that read and write no text. */
  readonly tokenizer?: TokenizerNames | undefined;
  /** Tokens that models and tokenizer agree on. */
  readonly vocabulary: ManifestVocabulary;
  /** Tokens of sources, where they are not those of outputs. */
  readonly sourceVocabulary?: ManifestVocabulary | undefined;
  /** Most positions, in tokens, the end token and the start token included. */
  readonly limits: { readonly sourceLength: number; readonly targetLength: number };
  /** Every file of the model by name, this manifest apart. */
  readonly files: Readonly<Record<string, FileRecord>>;
  /** Free facts about the training. */
  readonly training?: Readonly<Record<string, unknown>> | undefined;
}

/** Graphs that predict the tokens of a canvas, one for each output kind; top-k is always there. */
export interface FillGraphFiles {
  /** The best candidates of each position. */
  readonly topK: string;
  /** The best token of each position. */
  readonly argmax?: string | undefined;
  /** All log-probabilities of each position. */
  readonly logProbs?: string | undefined;
}

/** A decoder's step in one graph for each output kind; argmax is always there. Each that is opened holds all of the decoder's weights. */
export interface HeadGraphFiles {
  /** The best next token. */
  readonly argmax: string;
  /** The best next tokens. */
  readonly topK?: string | undefined;
  /** The best next tokens, and hidden states. */
  readonly topKWithStates?: string | undefined;
  /** All log-probabilities. */
  readonly logProbs?: string | undefined;
  /** All scores. */
  readonly logits?: string | undefined;
}

/**
 * A decoder's step in two graphs that all output kinds share: the layers, and what reads the vocabulary's tables, which embeds tokens
 * and scores states. An encoder with the same table then takes embeddings in place of token ids.
 */
export interface BodyGraphFiles {
  /** The decoder's layers. */
  readonly body: string;
  /** The vocabulary's tables. */
  readonly vocabulary: string;
}

/** A manifest before the files are written. */
export type ManifestContent<Manifest extends ModelManifest = ModelManifest> = Omit<Manifest, 'files'>;

/** An input or output of a graph that is not ours, as the graph declares it; a symbolic dimension is null. */
export interface GraphTensor {
  /** Its name in the graph. */
  readonly name: string;
  /** Its element type. */
  readonly type: 'float32' | 'float16' | 'float64' | 'int32' | 'int64' | 'bool';
  /** Its dimensions; null where the graph leaves one open. */
  readonly dims: readonly (number | null)[];
}
