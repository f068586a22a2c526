import { ForetokenError, type TokenSource } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  flag,
  immediate,
  integer,
  listOf,
  type OptionTable,
  oneOf,
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
import { GraphSessions } from './drivers/graph-sessions.js';
import type { ModelDescription, ModelFamily } from './families/family.js';
import { descriptionOf } from './families/family-answers.js';
import { familyOf, registerFamily } from './families/registry.js';
import type { ExportPrecisions } from './folder/export-precisions.js';
import type { ModelManifest } from './folder/manifest.js';
import type { OpenFolderOptions, ReadProgress } from './folder/model-folder.js';
import { loadCode } from './load-code.js';
import type { PartDecoder } from './parts/bind-decoder.js';
import { PART_KINDS, type PartKind, type PartModels, type PartOptions } from './parts/model-part.js';
import { ModelParts, type NoOptions, type SpeculationParts } from './parts/model-parts.js';
import type { ModelLocation, Platform } from './platform.js';
import type { TextInput } from './processors/chat.js';
import { InputDecoding, type InputOptions, type InputResult, readProcessor } from './processors/input-decoding.js';
import type { Processor, TextOutput } from './processors/processor.js';
import { type ReadModel, readModel } from './read-model.js';
import type { GraphImprover } from './rebuild.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

/** Options of `loadModel`. */
export interface LoadOptions<Input = TextInput, Output extends object = TextOutput, Source = TokenSource> {
  /**
   * The onnxruntime-node or onnxruntime-web module; default: onnxruntime-node, and onnxruntime-web (its WebAssembly) in browsers,
   * imported when needed.
   */
  readonly runtime?: OnnxRuntime | undefined;
  /**
   * Intra-op threads; default: measured, since small models are often slower with more than one, or one where opening a graph
   * takes too long for measuring. Set it for large models. ONNX Runtime Web has one number for all sessions of a page: it is
   * `env.wasm.numThreads` where that is set before, otherwise this, or one; more than one needs a cross-origin isolated page.
   */
  readonly threads?: number | undefined;
  /**
   * Where ONNX Runtime computes, the wanted first: names such as `cpu`, `cuda` or `webgpu`, or objects with a name and settings, as
   * `{ name: 'cuda', deviceId: 1 }`; default the CPU. All of them must work here. Equal outputs whatever is beside a row, and of
   * speculative and greedy decoding, are promised for the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[] | undefined;
  /**
   * Measure thread count and grid widths at load, for at most 0.2 s and a forward (default true). Without it one thread and
   * unpadded widths are used; what is decoded is the same.
   */
  readonly probe?: boolean | undefined;
  /**
   * Kinds of parts whose graphs are opened while loading; all other graphs are opened when they are first used. Default:
   * `['autoregressive']`, where the folder has it.
   */
  readonly open?: readonly PartKind[] | undefined;
  /** The family that the folder must be of, for inputs that are no text; it is registered if it is not yet. */
  readonly family?: ModelFamily<ModelManifest, Input, Output, Source> | undefined;
  /**
   * Of a folder of an exporter, in which graphs lie in several precisions: which are loaded, in the words of transformers.js, such as
   * `q8`, or `{ encoder: 'fp32', decoder: 'q8' }`. Default: `fp32`, or the only one that there is.
   */
  readonly precision?: ExportPrecisions | undefined;
  /**
   * Of a folder of an exporter, on Node: whether leaner graphs are built of the weights in it (default true). They are used where they
   * give the same as the exported ones, logits to 1e-4, which is tried once; then they are kept in the cache folder. It needs
   * `@foretoken/importers`, or its `rebuildExport` here. `description` says which graphs are used, and why.
   */
  readonly improveGraph?: boolean | GraphImprover | undefined;
  /** What turns inputs into sources and outputs back; default: the family's own. */
  readonly processor?: Processor<Input, Output, Source> | undefined;
  /**
   * Stops loading: looked at between any two files, graphs and forwards; what was opened is released, and the signal's reason
   * thrown. The native runtime opening one graph cannot be interrupted.
   */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far loading is: whenever bytes of a file were read, and before each graph is opened. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** How far loading is: bytes of the files that are read, then each graph (`file`, its name in the folder) that is opened. */
export type LoadProgress =
  | ({ readonly stage: 'read' } & ReadProgress)
  | { readonly stage: 'open'; readonly file: string };

const OPTIONS: OptionTable<LoadOptions> = {
  // The namespace of a module is an object, its classes are functions.
  runtime: withMethods('a module of ONNX Runtime with Tensor and InferenceSession', 'Tensor'),
  threads: integer(1, 1024),
  executionProviders,
  probe: flag,
  open: listOf(oneOf(...PART_KINDS)),
  // Read where graphs are chosen by it.
  precision: anything,
  improveGraph: (name, value) => (typeof value === 'function' ? (value as GraphImprover) : flag(name, value)),
  family: withMethods('a model family', 'open', 'processor', 'describe'),
  processor: readProcessor as OptionTable<LoadOptions>['processor'],
  signal: readSignal,
  onProgress: callback(immediate),
};

/**
 * A model folder, loaded. Dispose releases all sessions, at once or when the forwards that are running have ended; decodes still
 * going on then end with `DISPOSED`.
 */
export interface LoadedModel<Input = TextInput, Output extends object = TextOutput, Source = TokenSource>
  extends AsyncDisposable {
  /** The folder's absolute path, or its URL. */
  readonly folder: string;
  /** What the folder says of itself. */
  readonly manifest: ModelManifest;
  /** What its graphs and files say it holds, the names of its parts among it. */
  readonly description: ModelDescription;
  /** Turns inputs into sources, and outputs back. */
  readonly processor: Processor<Input, Output, Source>;
  /** Reading it throws `UNSUPPORTED_CAPABILITY` where the folder has no tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** Intra-op threads that its graphs use. */
  readonly threads: number;
  /** Time inside the native runtime since load or the last `reset`. */
  readonly timings: RuntimeTimings;
  /**
   * A part of the folder, by its kind and, where there are several, its variant; its graphs are opened when it is first used.
   *
   * Throws `UNSUPPORTED_CAPABILITY` where the folder has no such part, saying which it has; `INVALID_ARGUMENT`.
   */
  part<Kind extends PartKind>(kind: Kind, options?: PartOptions): PartModels<Source>[Kind];
  /** As `part`, but `undefined` where the folder has no such part. Throws `INVALID_ARGUMENT`. */
  find<Kind extends PartKind>(kind: Kind, options?: PartOptions): PartModels<Source>[Kind] | undefined;
  /** What `latticeDrafter` takes to draft for this model. Throws `UNSUPPORTED_CAPABILITY`, saying what is missing. */
  speculation(options?: NoOptions): SpeculationParts<Source>;
  /**
   * Decodes an input, or several together: the decoder says which part of the model it needs. An input gives its result, a list
   * the results in its order.
   *
   * Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` (the folder lacks the part), whatever
   * the decoder throws, or the signal's reason.
   */
  decode(input: Input, decoder: PartDecoder<Source>, options?: InputOptions): Promise<InputResult<Output, Source>>;
  decode(
    inputs: readonly Input[],
    decoder: PartDecoder<Source>,
    options?: InputOptions,
  ): Promise<readonly InputResult<Output, Source>[]>;
  /**
   * Decodes an input and gives the output's text out in pieces, as soon as they are final; a piece never breaks a character, and
   * joined they are the text of the result. Throws what `decode` throws, `UNSUPPORTED_CAPABILITY` where outputs are no text.
   */
  stream(input: Input, decoder: PartDecoder<Source>, options?: InputOptions): AsyncIterable<string>;
  /** Releases all sessions, as `await using` does at the end of its block. */
  dispose(): Promise<void>;
}

/** Loads a model folder as `loadModel` of a platform does, which says what it throws. */
export async function loadModelOn<Input, Output extends object, Source>(
  platform: Platform,
  location: ModelLocation,
  given: LoadOptions<Input, Output, Source> = {},
): Promise<LoadedModel<Input, Output, Source>> {
  const options = checkOptions('loadModel', given, OPTIONS as OptionTable<LoadOptions<Input, Output, Source>>);
  const { signal, onProgress, executionProviders: providers } = options;
  if (options.family !== undefined) registerFamily(options.family);
  signal?.throwIfAborted();
  const reading: OpenFolderOptions = {
    keep: true,
    signal,
    precision: options.precision,
    onProgress: onProgress && ((progress) => onProgress({ stage: 'read', ...progress })),
  };
  const io = await platform.locate(location, reading);
  const read = await readModel(io, reading);
  const family = await chosenFamily(read, options.family);
  const runtime = options.runtime ?? (await platform.runtime());
  signal?.throwIfAborted();
  const threads = threadsOf(runtime, options.threads);
  if (providers !== undefined) await assertProviders(runtime, providers);
  signal?.throwIfAborted();
  const sessions = new GraphSessions(runtime, read.folder, signal, (file) => onProgress?.({ stage: 'open', file }));
  sessions.executionProviders = providers;
  try {
    const model = await assemble(read, family, sessions, { ...options, threads }, platform);
    sessions.loaded();
    signal?.throwIfAborted();
    return model;
  } catch (error) {
    // What went wrong first is what the caller should hear of.
    await sessions.dispose().catch(() => undefined);
    throw error;
  }
}

type AnyFamily<Input, Output extends object, Source> = ModelFamily<ModelManifest, Input, Output, Source>;

/** The family of a folder. Throws `UNSUPPORTED_MODEL` where it is another than was asked for. */
async function chosenFamily<Input, Output extends object, Source>(
  { folder: { path, manifest } }: ReadModel,
  wanted: ModelFamily<ModelManifest, Input, Output, Source> | undefined,
): Promise<AnyFamily<Input, Output, Source>> {
  if (wanted === undefined || wanted.name === manifest.family) {
    // Whoever names no family takes inputs and outputs as the folder's own has them.
    return (await familyOf(manifest)) as unknown as AnyFamily<Input, Output, Source>;
  }
  throw new ForetokenError(
    'UNSUPPORTED_MODEL',
    `${path} holds a model of the family ${manifest.family}, but ${wanted.name} was asked for.`,
    { folder: path, received: manifest.family, required: wanted.name },
  );
}

async function assemble<Input, Output extends object, Source>(
  { folder, tokenizer }: ReadModel,
  family: AnyFamily<Input, Output, Source>,
  sessions: GraphSessions,
  options: LoadOptions<Input, Output, Source>,
  platform: Platform,
): Promise<LoadedModel<Input, Output, Source>> {
  const { manifest, path } = folder;
  const { threads, probe = true, signal } = options;
  const cores = platform.cores();
  const context = { folder, manifest, sessions, threads, cores, probe, signal };
  const rebuilding =
    family.rebuilds?.(manifest) === true
      ? await loadCode('graphs built anew', () => import('./rebuilt-parts.js'))
      : undefined;
  const { rebuilt, facts = [] } = rebuilding?.rebuiltParts(platform, context, options.improveGraph) ?? {};
  const opened = await family.open({ ...context, rebuilt });
  const parts = new ModelParts(opened, path);
  const first: readonly PartKind[] = parts.find('autoregressive') === undefined ? [] : ['autoregressive'];
  for (const kind of options.open ?? first) await parts.open(kind, signal);
  sessions.timings.reset();
  const needed = tokenizer === undefined ? await refusedTokenizer(path, manifest, family) : () => tokenizer;
  const processor =
    options.processor ??
    (await family.processor({
      manifest,
      readText: (file) => folder.readText(file),
      get tokenizer() {
        return needed();
      },
    }));
  const inputs = new InputDecoding(parts, processor);
  const description = descriptionOf(family, manifest);
  return {
    folder: path,
    manifest,
    description: { ...description, facts: [...description.facts, ...facts] },
    processor,
    get tokenizer() {
      return needed();
    },
    threads: sessions.threads,
    timings: sessions.timings,
    part: (kind, which) => parts.part(kind, which),
    find: (kind, which) => parts.find(kind, which),
    speculation: (options) => parts.speculation(options),
    decode: inputs.decode,
    stream: inputs.stream,
    dispose: () => sessions.dispose(),
    [Symbol.asyncDispose]: () => sessions.dispose(),
  };
}

/** What refuses to give a tokenizer, where there is none. */
async function refusedTokenizer<Input, Output extends object, Source>(
  folder: string,
  manifest: ModelManifest,
  family: AnyFamily<Input, Output, Source>,
): Promise<() => never> {
  const { tokenizerRefusal } = await loadCode('folders without text', () => import('./tokenizer/tokenizer-refusal.js'));
  return () => {
    throw tokenizerRefusal(folder, family.withoutTokenizer?.(manifest));
  };
}
