import { availableParallelism } from 'node:os';
import type { AutoregressiveModel, CanvasModel, EditModel, LatticeModel, TokenSource } from '@foretoken/core';
import {
  checkOptions,
  ForetokenError,
  flag,
  integer,
  type OptionTable,
  signal as readSignal,
  withMethods,
} from '@foretoken/core';
import type { OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import type { LanguageModel, WeightedLanguageModel } from '@foretoken/language-models';
import { GraphSessions } from './drivers/graph-sessions.js';
import { ProbeBudget, WidthCosts } from './drivers/probe.js';
import { loadMaskedLanguageModel, loadStudents } from './families/marian/load-students.js';
import { MarianEncoder } from './families/marian/marian-encoder.js';
import { MarianModel } from './families/marian/marian-model.js';
import {
  PROBE_MILLISECONDS,
  probeBatches,
  probeThreads,
  probeWidths,
  THREADS_MILLISECONDS,
} from './families/marian/marian-probe.js';
import type { ModelLocation } from './folder/locate-model.js';
import type { MarianManifest, MaskedLanguageModelManifest, ModelManifest } from './folder/manifest.js';
import type { ModelFolder } from './folder/read-folder.js';
import { readModel } from './read-model.js';
import type { TextDecoder } from './text/choose-part.js';
import { TextDecoding, type TextOptions, type TextResult } from './text/text-decoding.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

export interface LoadOptions {
  /** The onnxruntime-node or onnxruntime-web module; default: onnxruntime-node, imported when needed. */
  readonly runtime?: OnnxRuntime;
  /**
   * Intra-op threads; default: measured, since small models are often slower with more than one, or one where opening a graph
   * takes too long for measuring. Set it for large models.
   */
  readonly threads?: number;
  /**
   * Measure thread count and grid widths at load, for at most 0.2 s and a forward (default true). Without it one thread and
   * unpadded widths are used; what is decoded is the same.
   */
  readonly probe?: boolean;
  /**
   * Stops loading: looked at between any two files, graphs and forwards; what was opened is released, and the signal's reason
   * thrown. The native runtime opening one graph cannot be interrupted.
   */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionTable<LoadOptions> = {
  // The namespace of a module is an object, its classes are functions.
  runtime: withMethods('a module of ONNX Runtime with Tensor and InferenceSession', 'Tensor'),
  threads: integer(1, 1024),
  probe: flag,
  signal: readSignal,
};

/**
 * A model folder, loaded. Dispose releases all sessions, at once or when the forwards that are running have ended; decodes still
 * going on then end with `DISPOSED`.
 */
export interface LoadedModel extends AsyncDisposable {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly tokenizer: TextTokenizer;
  readonly threads: number;
  readonly autoregressive?: AutoregressiveModel<TokenSource>;
  readonly lattice?: LatticeModel<TokenSource>;
  /**
   * The lattice model to draft with: the same student with 8-bit products and a shortlist where the folder has them. Its
   * scores are approximate, over the shortlist alone, and depend on the batch, which drafts may and outputs may not.
   */
  readonly draftLattice?: LatticeModel<TokenSource>;
  /**
   * The student again as `draftLattice` has it, or a shallower one, with an encoder of 8-bit products in the same graph: the
   * fastest model of the folder, for outputs that may be a little worse and depend on the batch. It takes no encoding and
   * shares none.
   */
  readonly fastLattice?: LatticeModel<TokenSource>;
  /** A canvas student on the shared encoder; the model itself where the folder is a masked language model's. */
  readonly canvas?: CanvasModel<TokenSource>;
  /** A DAG student, of kind `dag`; its strategies take the manifest's `dag.startTokenId`. */
  readonly dag?: LatticeModel<TokenSource>;
  /** A Levenshtein student. */
  readonly edit?: EditModel<TokenSource>;
  /** A model of the target's outputs, where the folder has one: what searches and `latticeDrafter` take as `languageModel.model`. */
  readonly languageModel?: LanguageModel;
  /** Time inside the native runtime since load or the last `reset`. */
  readonly timings: RuntimeTimings;
  /**
   * Decodes a text, or several together: the decoder says which part of the model it needs. A text gives its result, a list the
   * results in its order.
   *
   * Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` (the folder lacks the part), whatever
   * the decoder throws, or the signal's reason.
   */
  decode(text: string, decoder: TextDecoder, options?: TextOptions): Promise<TextResult>;
  decode(texts: readonly string[], decoder: TextDecoder, options?: TextOptions): Promise<readonly TextResult[]>;
  /**
   * Decodes a text and gives the output out in pieces, as soon as they are final; a piece never breaks a character, and joined
   * they are the text of the result. Throws what `decode` throws.
   */
  stream(text: string, decoder: TextDecoder, options?: TextOptions): AsyncIterable<string>;
  /** Releases all sessions, as `await using` does at the end of its block. */
  dispose(): Promise<void>;
  /** What `latticeDrafter` takes to draft for this model. Throws `UNSUPPORTED_CAPABILITY`, saying what is missing. */
  speculation(): SpeculationParts;
}

/** A lattice to draft from, and a language model that re-ranks its drafts, where the folder has one. */
export interface SpeculationParts {
  readonly model: LatticeModel<TokenSource>;
  readonly languageModel?: WeightedLanguageModel | undefined;
}

/**
 * Loads a model folder, named by its path, by a `file:` URL or by the package that holds it: verifies every file, opens its
 * graphs, measures what this machine does best.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, `RUNTIME_FAILURE`, or the reason of `signal`; then
 * nothing stays open.
 */
export async function loadModel(location: ModelLocation, options: LoadOptions = {}): Promise<LoadedModel> {
  options = checkOptions('loadModel', options, OPTIONS);
  const { signal } = options;
  const { folder, tokenizer } = await readModel(location, signal);
  const runtime = options.runtime ?? (await defaultRuntime());
  signal?.throwIfAborted();
  const sessions = new GraphSessions(runtime, folder, signal);
  try {
    const model = await assemble(folder, tokenizer, sessions, options);
    sessions.loaded();
    signal?.throwIfAborted();
    return model;
  } catch (error) {
    // What went wrong first is what the caller should hear of.
    await sessions.dispose().catch(() => undefined);
    throw error;
  }
}

async function assemble(
  folder: ModelFolder,
  tokenizer: TextTokenizer,
  sessions: GraphSessions,
  options: LoadOptions,
): Promise<LoadedModel> {
  const { manifest } = folder;
  const models =
    manifest.family === 'marian'
      ? await assembleMarian(folder, manifest, sessions, options)
      : assembleMaskedLanguageModel(manifest, sessions, options);
  sessions.timings.reset();
  const { autoregressive, canvas, edit, lattice, dag } = models;
  const lattices = [lattice, dag].filter((model) => model !== undefined);
  const text = new TextDecoding({ autoregressive, canvas, edit, lattices }, tokenizer);
  return {
    folder: folder.path,
    manifest,
    tokenizer,
    threads: sessions.threads,
    ...models,
    timings: sessions.timings,
    decode: text.decode,
    stream: text.stream,
    speculation: () => speculationOf(models, folder.path),
    dispose: () => sessions.dispose(),
    [Symbol.asyncDispose]: () => sessions.dispose(),
  };
}

function speculationOf(
  { autoregressive, draftLattice, languageModel }: AssembledModels,
  folder: string,
): SpeculationParts {
  const missing = [
    ...(autoregressive === undefined ? ['an autoregressive model to verify with'] : []),
    ...(draftLattice === undefined ? ['a CTC model to draft with'] : []),
  ];
  if (draftLattice === undefined || missing.length > 0) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `Speculation from a lattice needs ${missing.join(' and ')}, which this model folder does not have. ` +
        'Other drafters, such as ngramDrafter, need no second model.',
      { folder, capability: 'speculation', missing },
    );
  }
  return { model: draftLattice, languageModel: languageModel && { model: languageModel } };
}

type AssembledModels = Pick<
  LoadedModel,
  'autoregressive' | 'lattice' | 'draftLattice' | 'fastLattice' | 'canvas' | 'dag' | 'edit' | 'languageModel'
>;

async function assembleMarian(
  folder: ModelFolder,
  manifest: MarianManifest,
  sessions: GraphSessions,
  options: LoadOptions,
): Promise<AssembledModels> {
  const { runtime } = sessions;
  const { architecture, graphs, limits, vocabulary } = manifest;
  const { probe = true, signal } = options;
  const shape = { width: architecture.width, layers: architecture.decoderLayers };
  const forThreads = new ProbeBudget(THREADS_MILLISECONDS);
  if (options.threads !== undefined) sessions.threads = options.threads;
  else if (probe) {
    const cores = availableParallelism();
    await sessions.useThreads(await probeThreads(sessions, graphs.step.argmax, shape, cores, forThreads, signal));
  }
  signal?.throwIfAborted();
  const encoder = new MarianEncoder(runtime, await sessions.get(graphs.encoder), {
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId,
    width: architecture.width,
    layers: architecture.decoderLayers,
  });
  signal?.throwIfAborted();
  const step = await sessions.get(graphs.step.argmax);
  signal?.throwIfAborted();
  const forWidths = new ProbeBudget(PROBE_MILLISECONDS - forThreads.spent);
  const widths = probe ? await probeWidths(sessions, step, shape, forWidths, signal) : new WidthCosts([]);
  const costs = await probeBatches(sessions, step, shape, widths, forWidths, signal);
  const kinds = ['argmax', 'topK', 'logProbs', 'logits'] as const;
  const outputs = kinds.filter((kind) => graphs.step[kind] !== undefined);
  const autoregressive = new MarianModel({
    runtime,
    encoder,
    // `outputs` lists what has a graph, and the forest refuses any other kind first.
    sessions: (head) => sessions.get(graphs.step[head] as string),
    outputs,
    states: graphs.step.topKWithStates === undefined ? [] : ['topK'],
    maxCandidates: manifest.step?.maxCandidates ?? 1,
    vocabulary,
    startTokenId: vocabulary.startTokenId,
    maxLength: limits.targetLength,
    shape,
    paddedWidth: (width) => widths.padded(width),
    costs,
  });
  const students = await loadStudents(folder, manifest, sessions, encoder, signal);
  return { autoregressive, ...students };
}

function assembleMaskedLanguageModel(
  manifest: MaskedLanguageModelManifest,
  sessions: GraphSessions,
  { threads = 1 }: LoadOptions,
): AssembledModels {
  sessions.threads = threads;
  return { canvas: loadMaskedLanguageModel(manifest, sessions) };
}

async function defaultRuntime(): Promise<OnnxRuntime> {
  try {
    // The specifier is a variable so that bundlers for the browser do not follow it.
    const name = 'onnxruntime-node';
    return (await import(name)) as OnnxRuntime;
  } catch (cause) {
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      'onnxruntime-node is not installed. Run `npm i onnxruntime-node`, or pass `runtime` (for example onnxruntime-web).',
      {},
      { cause },
    );
  }
}
