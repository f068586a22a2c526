import { availableParallelism } from 'node:os';
import type { AutoregressiveModel, LatticeModel, NgramModel, TokenSource } from '@foretoken/core';
import { assertInteger, ForetokenError } from '@foretoken/core';
import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import { CtcModel } from './families/ctc-model.js';
import { MarianEncoder } from './families/marian-encoder.js';
import { MarianModel } from './families/marian-model.js';
import { probeThreads, probeWidths } from './families/marian-probe.js';
import { checkMarianGraphs } from './families/marian-signatures.js';
import { readNgrams } from './families/ngrams.js';
import { WidthCosts } from './families/probe.js';
import type { ModelManifest } from './folder/manifest.js';
import { type ModelFolder, openModelFolder } from './folder/read-folder.js';
import { createTokenizer, type TextTokenizer } from './tokenizer/text-tokenizer.js';

export interface LoadOptions {
  /** The onnxruntime-node or onnxruntime-web module; default: onnxruntime-node, imported when needed. */
  readonly runtime?: OnnxRuntime;
  /** Intra-op threads; default: measured, since small models are often slower with more than one. */
  readonly threads?: number;
  /**
   * Measure thread count and grid widths at load, about 0.2 s (default true). Without it one thread and unpadded widths
   * are used; what is decoded is the same.
   */
  readonly probe?: boolean;
  readonly signal?: AbortSignal;
}

/** A model folder, loaded. Dispose releases all sessions. */
export interface LoadedModel extends AsyncDisposable {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly tokenizer: TextTokenizer;
  readonly threads: number;
  readonly autoregressive?: AutoregressiveModel<TokenSource>;
  readonly lattice?: LatticeModel<TokenSource>;
  /**
   * The lattice model to draft with: the same student with 8-bit products where the folder has them. Its scores are
   * approximate and depend in the last digits on the batch, which drafting may be and one-shot decoding may not.
   */
  readonly draftLattice?: LatticeModel<TokenSource>;
  /** N-gram model of the target's outputs, where the folder has one; what `latticeDrafter` takes as `ngrams`. */
  readonly ngrams?: NgramModel;
  /** Time inside the native runtime since load or the last `reset`. */
  readonly timings: RuntimeTimings;
  /**
   * v: cost of a forward with `index + 1` new nodes relative to one node, as probed on this machine; empty when not
   * probed. What `latticeDrafter` takes as `verifyCost`.
   */
  readonly verifyCost: readonly number[];
}

/**
 * Loads a model folder: verifies every file, opens its graphs, measures what this machine does best.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, `RUNTIME_FAILURE`; then nothing stays open.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  if (options.threads !== undefined) assertInteger('threads', options.threads, 1, 1024);
  options.signal?.throwIfAborted();
  const folder = await openModelFolder(path);
  const { manifest } = folder;
  await checkMarianGraphs(folder);
  const tokenizer = createTokenizer(await folder.readText(manifest.tokenizer), {
    vocabulary: manifest.vocabulary,
    sourceLength: manifest.limits.sourceLength,
  });
  const runtime = options.runtime ?? (await defaultRuntime());
  const sessions = new Sessions(runtime, folder);
  try {
    return await assemble(folder, tokenizer, runtime, sessions, options);
  } catch (error) {
    await sessions.dispose();
    throw error;
  }
}

/** Opens the graphs of one folder, each once, on first use. */
class Sessions {
  readonly timings: RuntimeTimings = new RuntimeTimings();
  threads = 1;
  readonly #runtime: OnnxRuntime;
  readonly #folder: ModelFolder;
  readonly #open = new Map<string, Promise<GraphSession>>();

  constructor(runtime: OnnxRuntime, folder: ModelFolder) {
    this.#runtime = runtime;
    this.#folder = folder;
  }

  get(file: string): Promise<GraphSession> {
    let session = this.#open.get(file);
    if (session === undefined) {
      session = GraphSession.create(this.#runtime, this.#folder.filePath(file), this, this.timings);
      this.#open.set(file, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    for (const result of await Promise.allSettled(sessions)) {
      if (result.status === 'fulfilled') await result.value.dispose();
    }
  }
}

async function assemble(
  folder: ModelFolder,
  tokenizer: TextTokenizer,
  runtime: OnnxRuntime,
  sessions: Sessions,
  options: LoadOptions,
): Promise<LoadedModel> {
  const { manifest } = folder;
  const { architecture, graphs, limits, vocabulary } = manifest;
  const probe = options.probe ?? true;
  const shape = { width: architecture.width, layers: architecture.decoderLayers };
  const stepPath = folder.filePath(graphs.step.argmax);
  sessions.threads =
    options.threads ?? (probe ? await probeThreads(runtime, stepPath, shape, availableParallelism()) : 1);
  const encoder = new MarianEncoder(runtime, await sessions.get(graphs.encoder), {
    sourceLength: limits.sourceLength,
    vocabularySize: vocabulary.size,
    padTokenId: vocabulary.padTokenId ?? vocabulary.endTokenId,
    width: manifest.architecture.width,
    layers: manifest.architecture.decoderLayers,
  });
  const step = await sessions.get(graphs.step.argmax);
  const widths = probe ? await probeWidths(runtime, step, shape) : new WidthCosts([]);
  const kinds = ['argmax', 'topK', 'topKWithStates', 'logProbs', 'logits'] as const;
  const outputs = kinds.filter((kind) => graphs.step[kind] !== undefined);
  const autoregressive = new MarianModel({
    runtime,
    encoder,
    // `outputs` lists what has a graph, and the forest refuses any other kind first.
    sessions: (kind) => sessions.get(graphs.step[kind] as string),
    outputs,
    maxCandidates: manifest.step?.maxCandidates ?? 1,
    vocabulary,
    startTokenId: vocabulary.startTokenId,
    maxLength: limits.targetLength,
    shape,
    paddedWidth: (width) => widths.padded(width),
  });
  const latticeOf = async (file: string | undefined): Promise<CtcModel | undefined> => {
    if (file === undefined || manifest.ctc === undefined) return undefined;
    const { upsample, blankId, maxCandidates } = manifest.ctc;
    const session = await sessions.get(file);
    return new CtcModel({
      runtime,
      session,
      encoder,
      vocabulary,
      width: architecture.width,
      upsample,
      blankId,
      maxCandidates,
    });
  };
  const lattice = await latticeOf(graphs.ctc);
  const draftLattice = (await latticeOf(graphs.ctcDraft)) ?? lattice;
  const ngrams =
    manifest.ngrams === undefined ? undefined : await readNgrams(folder.filePath(manifest.ngrams), vocabulary.size);
  sessions.timings.reset();
  return {
    folder: folder.path,
    manifest,
    tokenizer,
    threads: sessions.threads,
    autoregressive,
    ...(lattice === undefined ? {} : { lattice }),
    ...(draftLattice === undefined ? {} : { draftLattice }),
    ...(ngrams === undefined ? {} : { ngrams }),
    timings: sessions.timings,
    verifyCost: widths.relative,
    [Symbol.asyncDispose]: () => sessions.dispose(),
  };
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
