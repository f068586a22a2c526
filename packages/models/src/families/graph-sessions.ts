import { ForetokenError } from '@foretoken/core';
import { GraphSession, type OnnxRuntime, RuntimeTimings } from '@foretoken/core/runtime';
import type { ModelFolder } from '../folder/read-folder.js';

/** Opens the graphs of one folder, each once, on first use. */
export class GraphSessions {
  readonly runtime: OnnxRuntime;
  readonly timings: RuntimeTimings = new RuntimeTimings();
  threads = 1;
  readonly #folder: ModelFolder;
  readonly #open = new Map<string, Promise<GraphSession>>();
  #disposed = false;

  constructor(runtime: OnnxRuntime, folder: ModelFolder) {
    this.runtime = runtime;
    this.#folder = folder;
  }

  /** Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  async get(file: string): Promise<GraphSession> {
    if (this.#disposed) {
      throw new ForetokenError('DISPOSED', `The model of ${this.#folder.path} was disposed of.`, { file });
    }
    let session = this.#open.get(file);
    if (session === undefined) {
      session = GraphSession.create(this.runtime, this.#folder.filePath(file), this, this.timings);
      this.#open.set(file, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const sessions = [...this.#open.values()];
    this.#open.clear();
    for (const result of await Promise.allSettled(sessions)) {
      if (result.status === 'fulfilled') await result.value.dispose();
    }
  }
}
