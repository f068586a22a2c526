import { ForetokenError } from '@foretoken/core';
import {
  type ExecutionProvider,
  type GraphOptimization,
  GraphSession,
  type OnnxRuntime,
  RuntimeTimings,
} from '@foretoken/core/runtime';
import type { ModelFolder } from '../folder/model-folder.js';
import { readGraph } from '../onnx/read-graph.js';
import { letGo } from './let-go.js';

/** Opens the graphs of one folder, each once, on first use, from files verified again. */
export class GraphSessions {
  readonly runtime: OnnxRuntime;
  readonly timings: RuntimeTimings;
  threads = 1;
  /** Where graphs that are opened from now on compute; checked. */
  executionProviders: readonly ExecutionProvider[] | undefined;
  /** How far the runtime rewrites graphs that are opened from now on; by default as little as need be. */
  optimization: GraphOptimization | undefined;
  readonly #folder: ModelFolder;
  readonly #open = new Map<string, Promise<GraphSession>>();
  /** Weights that the graphs opened while the model is loaded have in common, read and verified once. */
  #weights: Map<string, Promise<Uint8Array>> | undefined = new Map();
  /** Of the loading alone. */
  #signal: AbortSignal | undefined;
  #opening: ((file: string) => void) | undefined;
  #released: Promise<void> | undefined;
  /** Those of other folders that belong to the same model. */
  readonly #beside: GraphSessions[] = [];

  /**
   * Until the model is loaded the signal is looked at between reading a graph, its weights, and opening it, and `opening` is told
   * what is opened.
   */
  constructor(
    runtime: OnnxRuntime,
    folder: ModelFolder,
    signal?: AbortSignal,
    opening?: (file: string) => void,
    timings: RuntimeTimings = new RuntimeTimings(),
  ) {
    this.timings = timings;
    this.#opening = opening;
    this.runtime = runtime;
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * Throws `INVALID_MODEL_FOLDER` where the folder was changed or replaced since it was opened, `RUNTIME_FAILURE`, `DISPOSED`.
   * The next call tries again.
   */
  async get(file: string): Promise<GraphSession> {
    if (this.#released !== undefined) {
      throw new ForetokenError('DISPOSED', `The model of ${this.#folder.path} was disposed of.`, { file });
    }
    let session = this.#open.get(file);
    if (session === undefined) {
      const opening = this.openApart(file, this.threads);
      session = opening;
      this.#open.set(file, opening);
      opening.catch(() => {
        if (this.#open.get(file) === opening) this.#open.delete(file);
      });
    }
    return session;
  }

  /** What opens these graphs, one after the other. */
  opening(...files: readonly string[]): () => Promise<void> {
    return async () => {
      for (const file of files) await this.get(file);
    };
  }

  /** Opens a graph once more; the caller disposes of the session. Throws as `get` does. */
  async openApart(file: string, threads: number): Promise<GraphSession> {
    this.#signal?.throwIfAborted();
    this.#opening?.(file);
    const content = await readGraph(this.#folder, file, (name) => this.#readWeights(name));
    this.#signal?.throwIfAborted();
    const { executionProviders, optimization } = this;
    return GraphSession.create(this.runtime, content, { threads, executionProviders, optimization }, this.timings);
  }

  /** Sessions of another folder's graphs, released with these. */
  beside(folder: ModelFolder): GraphSessions {
    const { runtime, timings, executionProviders } = this;
    const other = new GraphSessions(runtime, folder, this.#signal, this.#opening, timings);
    other.executionProviders = executionProviders;
    this.#beside.push(other);
    return other;
  }

  /** The model is loaded: weights in memory are let go, what is opened later reads them anew, and the signal no longer counts. */
  loaded(): void {
    // Sessions have copies of their own.
    for (const reading of this.#weights?.values() ?? []) reading.then(letGo, () => undefined);
    this.#weights = undefined;
    this.#folder.release();
    this.#opening = undefined;
    this.#signal = undefined;
    for (const other of this.#beside) other.loaded();
  }

  #readWeights(file: string): Promise<Uint8Array> {
    this.#signal?.throwIfAborted();
    const known = this.#weights?.get(file);
    if (known !== undefined) return known;
    const reading = this.#folder.readBytes(file);
    this.#weights?.set(file, reading);
    return reading;
  }

  /** Uses this many threads from now on; what was opened with another number is opened anew when asked for. */
  async useThreads(threads: number): Promise<void> {
    if (threads === this.threads) return;
    this.threads = threads;
    await this.close();
  }

  /**
   * Releases all sessions, also those that are still being opened; a second call waits for the same release. Throws
   * `RUNTIME_FAILURE` once all were tried.
   */
  dispose(): Promise<void> {
    this.#released ??= this.#disposeAll();
    return this.#released;
  }

  async #disposeAll(): Promise<void> {
    const closed = await Promise.allSettled([this.close(), ...this.#beside.map((other) => other.dispose())]);
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  /** Releases what is open; what is asked for later is opened anew. Throws `RUNTIME_FAILURE` once all were tried. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#takeOpen());
    const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const closed = await Promise.allSettled(sessions.map((session) => session.dispose()));
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  #takeOpen(): Promise<GraphSession>[] {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    return sessions;
  }
}
