import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import {
  type EncoderDecoderManifest,
  GENERATION_CONFIG,
  type ImportNote,
  invalidFolder,
  type LanguageFacts,
  type ManifestContent,
  originOf,
  readExportGeneration,
  unsupportedModel,
} from '@foretoken/models/internal';
import { headsWidth } from '../../blocks/attention.js';
import type { ProductPrecision } from '../../blocks/block-context.js';
import { GraphFiles } from '../../graphs/graph-files.js';
import { STUDENTS } from '../../import-options.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { heading } from '../../target-options.js';
import { productsOf } from '../../tensors/weight-precision.js';
import type { ModelContent } from '../../write-model.js';
import type { NamedOptions } from '../architecture.js';
import { emitEncoder } from './encoder-graph.js';
import type { EncoderDecoderNetwork } from './network.js';
import { emitShortlist, type StoredShortlist } from './source-shortlist.js';
import { emitStepBody } from './step-graph.js';
import { emitVocabulary } from './vocabulary-graph.js';

const GRAPHS = { encoder: 'encoder.onnx', step: { body: 'step-body.onnx', vocabulary: 'vocabulary.onnx' } } as const;
/** Most candidates that the top-k head returns for each node. */
const STEP_CANDIDATES = 64;

/** What an architecture says of its encoder and decoder. */
export interface EncoderDecoderModel {
  /** Tokens of outputs, and of sources where these have others or a table of their own. */
  readonly vocabularySize: number;
  readonly sourceVocabularySize?: number | undefined;
  /** Most positions of a source and of an output. */
  readonly limits: EncoderDecoderManifest['limits'];
  /** The network, which never outputs the tokens that are `suppressed`. */
  readonly network: (suppressed: readonly number[], precision: ProductPrecision) => EncoderDecoderNetwork;
  /** Which tokens outputs may have, where sources say it. */
  readonly shortlist?: StoredShortlist | undefined;
  /** How the model is told of languages, where it knows several; `beginning` is what its configs say that outputs begin with. */
  readonly languages?: ((beginning: readonly number[]) => Promise<LanguageFacts | undefined>) | undefined;
}

/** Manifest and files of an encoder-decoder. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`. */
export async function encoderDecoderContent(
  folder: WeightsFolder,
  options: NamedOptions,
  pace: Yielder,
  model: EncoderDecoderModel,
): Promise<ModelContent> {
  const { weights } = options;
  refuseOptions(folder, options);
  const { vocabularySize, limits } = model;
  const { tokenizer } = folder;
  const { sourceVocabularySize = vocabularySize } = model;
  // One vocabulary may have a table for each side, and one table sources that end otherwise than outputs.
  const oneVocabulary = tokenizer.sourceTokens === undefined && sourceVocabularySize === vocabularySize;
  const named = tokenizer.namedTokens(vocabularySize);
  const generation = readExportGeneration(folder, vocabularySize, named);
  const endTokenId = onlyEnd(folder, generation.ends);
  const languages = await model.languages?.(generation.beginning);
  const notes = [...(folder.notes ?? []), ...generation.notes];
  const network = model.network(generation.suppressed, productsOf(weights));
  const { encoder, decoder, width } = network;
  const { heads } = decoder.shape;
  // One table for both sides is in the vocabulary's graph alone.
  const embedsSources = encoder.embedding.name !== decoder.embedding.name;
  const graphs = new GraphFiles(weights, pace);
  await graphs.emit(GRAPHS.encoder, 'encoder', (graph) =>
    emitEncoder(graph, network, embedsSources ? 'ids' : 'embedded'),
  );
  await graphs.emit(GRAPHS.step.body, 'step-body', (graph) => emitStepBody(graph, network));
  await graphs.emit(GRAPHS.step.vocabulary, 'vocabulary', (graph) =>
    emitVocabulary(graph, network, model.shortlist !== undefined),
  );
  const files = graphs.files();
  for (const [name, content] of tokenizer.files) files.set(name, content);
  for (const [name, content] of languages?.files ?? []) files.set(name, content);
  const shortlist = model.shortlist && emitShortlist(model.shortlist);
  if (shortlist !== undefined) files.set(...shortlist.file);
  for (const note of notes) options.onNote?.(note);
  const manifest: ManifestContent<EncoderDecoderManifest> = {
    ...heading(options),
    family: 'encoder-decoder',
    tokenizer: tokenizer.names,
    vocabulary: { size: vocabularySize, endTokenId, padTokenId: generation.pad, unknownTokenId: named.unknown },
    sourceVocabulary: oneVocabulary ? undefined : sourceVocabulary(folder, sourceVocabularySize),
    limits,
    architecture: {
      width,
      heads,
      headWidth: headsWidth(decoder.shape) / heads,
      encoderLayers: encoder.layers,
      decoderLayers: decoder.layers,
      byDistance: decoder.relative === undefined ? undefined : true,
      recurrentDecoder: network.recurrent === undefined ? undefined : true,
      unplacedTokenId: network.unplacedTokenId,
    },
    graphs: GRAPHS,
    embedsSources: embedsSources ? true : undefined,
    step: { maxCandidates: Math.min(STEP_CANDIDATES, vocabularySize) },
    beginning: languages?.beginning ?? generation.beginning,
    shortlist: shortlist?.manifest,
    languages: languages?.manifest,
    training: { ...options.training, weights, ...notUsed(notes) },
  };
  return { manifest, files };
}

function notUsed(notes: readonly ImportNote[]): { readonly notUsed?: Readonly<Record<string, unknown>> | undefined } {
  if (notes.length === 0) return {};
  return { notUsed: Object.fromEntries(notes.map(({ field, received }) => [field, received])) };
}

function sourceVocabulary(folder: WeightsFolder, size: number): EncoderDecoderManifest['sourceVocabulary'] {
  const { path, tokenizer } = folder;
  if (tokenizer.sourceTokens === undefined) {
    const required = 'source.spm, target.spm, vocab.json and target_vocab.json';
    throw unsupportedModel(
      `${path}: ${originOf(folder, 'vocab_size').file} says that sources have a vocabulary of their own, so the tokenizer needs ${required}. Fetch the missing files.`,
      { folder: path, file: 'target_vocab.json', required },
    );
  }
  const { end: endTokenId, unknown: unknownTokenId, pad: padTokenId } = tokenizer.sourceTokens(size);
  return { size, endTokenId, unknownTokenId, padTokenId };
}

function onlyEnd(folder: WeightsFolder, ends: readonly number[]): number {
  const { path } = folder;
  const [end, ...others] = ends;
  const told = folder.generationConfig?.eos_token_id;
  const inConfig = told === undefined || told === null;
  const { file, field } = inConfig
    ? originOf(folder, 'eos_token_id')
    : { file: GENERATION_CONFIG, field: 'eos_token_id' };
  const details = { folder: path, file, field, received: ends, required: 'one token' };
  if (end === undefined) throw invalidFolder(`${path}: ${file} has no ${field}, the token that ends outputs.`, details);
  if (others.length === 0) return end;
  throw unsupportedModel(
    `${path}: ${field} in ${file} names ${ends.length} tokens, but outputs of an encoder-decoder end by one token here.`,
    details,
  );
}

/** Options that say something of other models only. */
function refuseOptions({ path }: WeightsFolder, options: NamedOptions): void {
  for (const option of [...STUDENTS, 'stepLayout'] as const) {
    const received = options[option];
    if (received === undefined || received === 'body') continue;
    const why =
      option === 'stepLayout'
        ? 'whose step is always a body and a vocabulary that all outputs share'
        : `which no ${option} student can be trained on yet`;
    throw new ForetokenError('INVALID_ARGUMENT', `${path} is an encoder-decoder, ${why}. Leave out ${option}.`, {
      option,
      received,
    });
  }
}
