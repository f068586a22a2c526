import { ForetokenError } from '../contract/errors.js';
import type { InferenceSession, OnnxRuntime, Tensor } from './onnx-runtime.js';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface GraphSessionOptions {
  /** Intra-op threads; small models are often fastest with 1. */
  readonly threads: number;
}

/** Time spent inside the native runtime, shared by the sessions of one model. */
export class RuntimeTimings {
  runs = 0;
  /** Milliseconds inside `run`, argument conversion included. */
  milliseconds = 0;

  reset(): void {
    this.runs = 0;
    this.milliseconds = 0;
  }
}

let open = 0;

/** Sessions opened and not yet disposed of in this process, for leak checks. */
export function openSessions(): number {
  return open;
}

/**
 * One ONNX graph, loaded: a thin owner of a native session that turns failures into typed errors.
 *
 * Loaded by path, so that external data resolves beside the graph. Dispose releases the native memory.
 */
export class GraphSession {
  readonly path: string;
  readonly #session: InferenceSession;
  readonly #timings: RuntimeTimings;
  #disposed = false;

  private constructor(path: string, session: InferenceSession, timings: RuntimeTimings) {
    this.path = path;
    this.#session = session;
    this.#timings = timings;
    open++;
  }

  /** Throws `RUNTIME_FAILURE` when the native runtime refuses the graph. */
  static async create(
    runtime: OnnxRuntime,
    path: string,
    options: GraphSessionOptions,
    timings: RuntimeTimings,
  ): Promise<GraphSession> {
    try {
      const session = await runtime.InferenceSession.create(path, {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'basic',
        // Memory is planned anew for every shape, and a growing cache makes nearly every shape a new one.
        enableMemPattern: false,
      });
      return new GraphSession(path, session, timings);
    } catch (cause) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `ONNX Runtime could not load ${path}: ${reason(cause)}. Import the model again, or check its opset and operators.`,
        { file: path },
        { cause },
      );
    }
  }

  /** Runs the graph once. Throws `RUNTIME_FAILURE`, `DISPOSED`. */
  async run(feeds: Feeds): Promise<Readonly<Record<string, Tensor>>> {
    if (this.#disposed) {
      throw new ForetokenError('DISPOSED', `The session of ${this.path} was disposed of.`, { file: this.path });
    }
    const began = performance.now();
    try {
      return await this.#session.run(feeds);
    } catch (cause) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `ONNX Runtime failed in ${this.path}: ${reason(cause)}.`,
        { file: this.path },
        { cause },
      );
    } finally {
      this.#timings.runs++;
      this.#timings.milliseconds += performance.now() - began;
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    open--;
    await this.#session.release();
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
