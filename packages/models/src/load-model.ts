import type { LatticeModel, TokenSource } from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';
import {
  callback,
  checkOptions,
  flag,
  immediate,
  integer,
  type OptionTable,
  signal as readSignal,
  withMethods,
} from '@foretoken/core/kit';
import {
  assertProviders,
  type ExecutionProvider,
  executionProviders,
  type OnnxRuntime,
  type RuntimeTimings,
  threadsOf,
} from '@foretoken/core/runtime';
import type { WeightedLanguageModel } from '@foretoken/language-models';
import { GraphSessions } from './drivers/graph-sessions.js';
import type { ModelDescription, OpenContext, OpenedParts } from './families/family.js';
import { familyOf } from './families/registry.js';
import type { ModelManifest } from './folder/manifest.js';
import type { ModelFolder, OpenFolderOptions, ReadProgress } from './folder/read-folder.js';
import type { ModelLocation, Platform } from './platform.js';
import { readModel } from './read-model.js';
import type { TextDecoder } from './text/choose-part.js';
import { TextDecoding, type TextOptions, type TextResult } from './text/text-decoding.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

export interface LoadOptions {
  /**
   * The onnxruntime-node or onnxruntime-web module; default: onnxruntime-node, and onnxruntime-web (its WebAssembly) in browsers,
   * imported when needed.
   */
  readonly runtime?: OnnxRuntime;
  /**
   * Intra-op threads; default: measured, since small models are often slower with more than one, or one where opening a graph
   * takes too long for measuring. Set it for large models. ONNX Runtime Web has one number for all sessions of a page: it is
   * `env.wasm.numThreads` where that is set before, otherwise this, or one; more than one needs a cross-origin isolated page.
   */
  readonly threads?: number;
  /**
   * Where ONNX Runtime computes, the wanted first: names such as `cpu`, `cuda` or `webgpu`, or objects with a name and settings, as
   * `{ name: 'cuda', deviceId: 1 }`; default the CPU. All of them must work here. Equal outputs whatever is beside a row, and of
   * speculative and greedy decoding, are promised for the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
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
  /** Is told how far loading is: whenever bytes of a file were read, and before each graph is opened. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** How far loading is. */
export type LoadProgress =
  | ({ readonly stage: 'read' } & ReadProgress)
  | { readonly stage: 'open'; readonly file: string };

const OPTIONS: OptionTable<LoadOptions> = {
  // The namespace of a module is an object, its classes are functions.
  runtime: withMethods('a module of ONNX Runtime with Tensor and InferenceSession', 'Tensor'),
  threads: integer(1, 1024),
  executionProviders,
  probe: flag,
  signal: readSignal,
  onProgress: callback(immediate),
};

/**
 * A model folder, loaded. Dispose releases all sessions, at once or when the forwards that are running have ended; decodes still
 * going on then end with `DISPOSED`.
 */
export interface LoadedModel extends OpenedParts, AsyncDisposable {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly tokenizer: TextTokenizer;
  readonly threads: number;
  /** What its graphs and files say it holds. */
  readonly description: ModelDescription;
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

/** Loads a model folder as `loadModel` of a platform does, which says what it throws. */
export async function loadModelOn(
  platform: Platform,
  location: ModelLocation,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  options = checkOptions('loadModel', options, OPTIONS);
  const { signal, onProgress, executionProviders: providers } = options;
  signal?.throwIfAborted();
  const reading: OpenFolderOptions = {
    signal,
    onProgress: onProgress && ((progress) => onProgress({ stage: 'read', ...progress })),
  };
  const io = await platform.locate(location, reading);
  const { folder, tokenizer } = await readModel(io, reading);
  const runtime = options.runtime ?? (await platform.runtime());
  signal?.throwIfAborted();
  const threads = threadsOf(runtime, options.threads);
  if (providers !== undefined) await assertProviders(runtime, providers);
  signal?.throwIfAborted();
  const sessions = new GraphSessions(runtime, folder, signal, (file) => onProgress?.({ stage: 'open', file }));
  sessions.executionProviders = providers;
  try {
    const model = await assemble(folder, tokenizer, sessions, { ...options, threads, cores: platform.cores() });
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
  {
    threads,
    cores,
    probe = true,
    signal,
  }: Pick<LoadOptions, 'probe' | 'signal'> & Pick<OpenContext, 'threads' | 'cores'>,
): Promise<LoadedModel> {
  const { manifest } = folder;
  const family = familyOf(manifest);
  const models = await family.open({ folder, manifest, sessions, threads, cores, probe, signal });
  sessions.timings.reset();
  const { autoregressive, canvas, edit, lattice, dag } = models;
  const lattices = [lattice, dag].filter((model) => model !== undefined);
  const text = new TextDecoding({ autoregressive, canvas, edit, lattices }, tokenizer);
  return {
    folder: folder.path,
    manifest,
    description: family.describe(manifest),
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

function speculationOf({ autoregressive, draftLattice, languageModel }: OpenedParts, folder: string): SpeculationParts {
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
