import * as v from 'valibot';
import type { ToldModel } from '../../audio/spectrum-processor.js';
import { languages, type ManifestLanguages } from '../../folder/languages-schema.js';
import type { ManifestVocabulary, ModelManifest } from '../../folder/manifest.js';
import {
  content,
  fileName,
  heading,
  integer,
  limits,
  optionalTokens,
  size,
  tokenId,
  tokenizer,
  vocabularySize,
} from '../../folder/manifest-schema.js';
import { type ManifestSpectrum, type ManifestSpeech, spectrum, speech } from '../../folder/speech-schema.js';
import type { GraphValue } from '../../onnx/graph-description.js';

/** A graph as it was exported, with what it says it takes and gives. */
export interface ExportGraph {
  readonly file: string;
  readonly inputs: Readonly<Record<string, GraphValue>>;
  readonly outputs: Readonly<Record<string, GraphValue>>;
  /** What inputs and outputs are usually called, by the names that they have, where these are others. */
  readonly names?: Readonly<Record<string, string>> | undefined;
}

/** Samples of sound that a model hears: how many a second, and the least that it reads. */
export interface ManifestSamples {
  readonly sampleRate: number;
  readonly minSamples: number;
}

/** A model whose graphs are those of an exporter, driven by what they say of themselves. */
export interface OnnxExportManifest extends ModelManifest {
  readonly family: 'onnx-export';
  readonly vocabulary: ManifestVocabulary;
  /** What its config calls it; for people only. */
  readonly architecture: string;
  /** How its weights are stored, as transformers.js calls it: `fp32`, `q8`. */
  readonly precision: string;
  readonly graphs: {
    readonly encoder?: ExportGraph | undefined;
    /** Reads outputs from their beginning; it may also go on with a cache. */
    readonly decoder: ExportGraph;
    /** Goes on with a cache, where `decoder` cannot. */
    readonly decoderWithPast?: ExportGraph | undefined;
  };
  /** Of models of samples of sound, whose `limits.sourceLength` is in steps of 10 ms. */
  readonly audio?: ManifestSamples | undefined;
  /** Of models of spectra of sound, which all have this size. */
  readonly spectrum?: ManifestSpectrum | undefined;
  /** Tokens that tell a model of spectra what is to be done; an output begins after them. */
  readonly speech?: ManifestSpeech | undefined;
  /** Whether only a config says how long outputs may be, which is tried when the model is opened. */
  readonly untoldPositions?: true | undefined;
  /** Heads of keys and values, and numbers of each, where the graphs do not say. */
  readonly cache?: { readonly heads: number; readonly size: number } | undefined;
  /** Tokens that every output begins with; what a model is told of a source comes after them. */
  readonly beginning: readonly number[];
  /** How the model is told of languages, where it knows several. */
  readonly languages?: ManifestLanguages | undefined;
  /** Tokens that are never output. */
  readonly suppressed: readonly number[];
  /** Tokens that are never the first of an output. */
  readonly suppressedFirst?: readonly number[] | undefined;
  /** Tokens beside the end token that end an output, as its last token. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /** Operators by which what is computed of a row depends on the rows and tokens beside it. */
  readonly dependentRows: readonly string[];
}

const word = v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/, 'a word of letters, digits, ".", "_" and "-"'));
const name = v.pipe(v.string(), v.maxLength(200, 'a name of at most 200 characters'));
const values = v.record(
  name,
  v.strictObject({ type: v.pipe(v.string(), v.maxLength(40)), dims: v.array(v.nullable(integer(1, 2 ** 31))) }),
);
const graph: v.GenericSchema<ExportGraph> = v.strictObject({
  file: fileName,
  inputs: values,
  outputs: values,
  names: v.exactOptional(v.record(name, name)),
});
const tokenIds: v.GenericSchema<readonly number[]> = v.array(tokenId);

export const onnxExportSchema: v.GenericSchema<unknown, OnnxExportManifest> = v.strictObject({
  ...heading,
  family: v.literal('onnx-export'),
  tokenizer: v.exactOptional(tokenizer),
  vocabulary: v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  sourceVocabulary: v.exactOptional(
    v.strictObject({ size: vocabularySize, endTokenId: v.exactOptional(tokenId), ...optionalTokens }),
  ),
  limits,
  architecture: word,
  precision: word,
  graphs: v.strictObject({
    encoder: v.exactOptional(graph),
    decoder: graph,
    decoderWithPast: v.exactOptional(graph),
  }),
  audio: v.exactOptional(v.strictObject({ sampleRate: integer(1, 1_000_000), minSamples: integer(1, 1_000_000) })),
  spectrum: v.exactOptional(spectrum),
  speech: v.exactOptional(speech),
  untoldPositions: v.exactOptional(v.literal(true)),
  cache: v.exactOptional(v.strictObject({ heads: size, size })),
  beginning: tokenIds,
  languages: v.exactOptional(languages),
  suppressed: tokenIds,
  suppressedFirst: v.exactOptional(tokenIds),
  stopTokenIds: v.exactOptional(v.array(tokenId)),
  dependentRows: v.array(word),
  ...content,
});

/** What a model of spectra reads, and is told of them; `undefined` of other models. */
export function toldModel({
  spectrum: audio,
  speech: told,
  beginning,
}: Pick<OnnxExportManifest, 'spectrum' | 'speech' | 'beginning'>): ToldModel | undefined {
  return audio && told && { audio, speech: told, startTokenId: beginning[0] };
}
