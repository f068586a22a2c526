import { ForetokenError } from '../contract/errors.js';
import { wrongValue } from '../kit/checks.js';
import { checkOptions, hasMethods, integer, type OptionTable, oneOf } from '../kit/options.js';
import { thrownWords } from '../kit/show.js';
import { DEFAULT_PROVIDERS, type ExecutionProvider, executionProviders } from './execution-providers.js';
import type { InferenceSession, OnnxRuntime, Tensor } from './onnx-runtime.js';
import { assertRuntime, createSession, isWebRuntime } from './web-runtime.js';

/** Inputs of one run of a graph, by name. The graph only reads them. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** How far the runtime rewrites a graph. `basic` leaves operators as they are; `all` fuses what exporters left apart. */
export type GraphOptimization = 'basic' | 'all';

/** How a graph is opened. */
export interface GraphSessionOptions {
  /** Intra-op threads; small models are often fastest with 1. */
  readonly threads: number;
  /** Where to compute, the wanted first, checked by `assertProviders`; default the CPU. */
  readonly executionProviders?: readonly ExecutionProvider[] | undefined;
  /** Default: `basic`. */
  readonly optimization?: GraphOptimization | undefined;
}

const OPTIONS: OptionTable<GraphSessionOptions> = {
  threads: integer(1),
  executionProviders,
  optimization: oneOf('basic', 'all'),
};

/** Time spent inside the native runtime, shared by the sessions of one model. */
export class RuntimeTimings {
  /** Runs of graphs since the last reset. */
  runs = 0;
  /** Milliseconds inside `run`, argument conversion included. */
  milliseconds = 0;

  /** Begins to count anew. */
  reset(): void {
    this.runs = 0;
    this.milliseconds = 0;
  }
}

/** A serialised graph in memory, and the files it keeps weights in. */
export interface GraphContent {
  /** Where it was read from, for messages. */
  readonly path: string;
  /** Not changed, and not needed once the session is there. */
  readonly graph: Uint8Array;
  /** Default: ONNX. The other is ONNX Runtime's own format. */
  readonly format?: 'ONNX' | 'ORT' | undefined;
  /** Content of every file that the graph names for weights of its main part, under the very name it gives. */
  readonly externalData?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Throws `INVALID_ARGUMENT` for what is no graph in memory. */
function assertContent(content: GraphContent): void {
  if (isContent(content)) return;
  throw wrongValue(
    'content',
    content,
    'an object with path, a string, graph, a Uint8Array, format, ONNX or ORT or none, and externalData, a Map of names to Uint8Arrays, where there is any',
  );
}

function isContent(content: GraphContent): boolean {
  try {
    const { path, graph, format, externalData } = content;
    if (format !== undefined && format !== 'ONNX' && format !== 'ORT') return false;
    if (typeof path !== 'string' || !(graph instanceof Uint8Array)) return false;
    if (externalData === undefined) return true;
    for (const [name, data] of externalData) {
      if (typeof name !== 'string' || !(data instanceof Uint8Array)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function isTimings(timings: RuntimeTimings): boolean {
  try {
    return timings instanceof RuntimeTimings;
  } catch {
    return false;
  }
}

/**
 * No file beside the bytes that were checked: ONNX Runtime would look for weights that it is not given in this folder, which cannot exist. ONNX Runtime
 * Web has no files, and would look for those that it is given in there too.
 */
const NO_FILES = { model_external_initializers_file_folder_path: '/dev/null/no-folder' } as const;

let open = 0;

/** Sessions opened and not yet disposed of in this process, for leak checks. */
export function openSessions(): number {
  return open;
}

/**
 * One ONNX graph, loaded: a thin owner of a native session that turns failures into typed errors.
 *
 * Loaded from memory, weights included: a file that is replaced or written to later cannot change what it computes, nor end the
 * process as a cut file under a memory map would. Dispose releases the native memory.
 */
export class GraphSession {
  /** Where the graph's file lies; for messages. */
  readonly path: string;
  readonly #session: InferenceSession;
  readonly #timings: RuntimeTimings;
  #running = 0;
  /** Called when the last run has ended. */
  #idle: (() => void) | undefined;
  #released: Promise<void> | undefined;

  private constructor(path: string, session: InferenceSession, timings: RuntimeTimings) {
    if (!hasMethods(session, 'run', 'release')) throw wrongValue('session', session, 'a session of ONNX Runtime');
    this.path = path;
    this.#session = session;
    this.#timings = timings;
    open++;
  }

  /** Throws `RUNTIME_FAILURE` when the native runtime refuses the graph, `INVALID_ARGUMENT` for what is none. */
  static async create(
    runtime: OnnxRuntime,
    content: GraphContent,
    given: GraphSessionOptions,
    timings: RuntimeTimings,
  ): Promise<GraphSession> {
    assertRuntime(runtime);
    assertContent(content);
    const options = checkOptions('GraphSession.create', given, OPTIONS, ['threads']);
    if (!isTimings(timings)) throw wrongValue('timings', timings, 'a RuntimeTimings');
    const { path, graph, format = 'ONNX', externalData = new Map() } = content;
    try {
      // What is parsed is what was checked: bytes, of one format.
      const parsed = { load_model_format: format };
      const session = await createSession(runtime, graph, {
        executionProviders: options.executionProviders ?? DEFAULT_PROVIDERS,
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: options.optimization ?? 'basic',
        // Memory is planned anew for every shape, and a growing cache makes nearly every shape a new one.
        enableMemPattern: false,
        externalData: Array.from(externalData, ([name, data]) => ({ path: name, data })),
        extra: { session: isWebRuntime(runtime) ? parsed : { ...parsed, ...NO_FILES } },
      });
      return new GraphSession(path, session, timings);
    } catch (cause) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `ONNX Runtime could not load ${path}: ${thrownWords(cause)}. Import the model again, or check its opset and operators.`,
        { file: path },
        { cause },
      );
    }
  }

  /** Element type of an input, such as `float16`; `undefined` where the graph has no such input. */
  inputType(name: string): string | undefined {
    const { inputMetadata } = this.#session;
    if (!Array.isArray(inputMetadata)) return undefined;
    const input = (inputMetadata as InferenceSession['inputMetadata']).find((one) => one?.name === name);
    return input?.isTensor === true ? input.type : undefined;
  }

  /**
   * Runs the graph once; gives all outputs, or those that are named. Throws `RUNTIME_FAILURE`, and `DISPOSED` also where the
   * session is disposed of meanwhile.
   */
  async run(feeds: Feeds, fetches?: readonly string[]): Promise<Readonly<Record<string, Tensor>>> {
    if (this.#released !== undefined) throw this.#disposedOf();
    const began = performance.now();
    this.#running++;
    try {
      const outputs = await (fetches === undefined ? this.#session.run(feeds) : this.#session.run(feeds, fetches));
      // The same whether the run had begun inside the runtime or not.
      if (this.#released !== undefined) throw this.#disposedOf();
      return outputs;
    } catch (cause) {
      if (this.#released !== undefined) throw this.#disposedOf();
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `ONNX Runtime failed in ${this.path}: ${thrownWords(cause)}.`,
        { file: this.path },
        { cause },
      );
    } finally {
      this.#timings.runs++;
      this.#timings.milliseconds += performance.now() - began;
      if (--this.#running === 0) this.#idle?.();
    }
  }

  /** Releases the native memory, once the runs going on have ended; a second call waits for the same. Throws `RUNTIME_FAILURE`. */
  dispose(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    open--;
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      await this.#session.release();
    } catch (cause) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `ONNX Runtime could not release ${this.path}: ${thrownWords(cause)}.`,
        { file: this.path },
        { cause },
      );
    }
  }

  #disposedOf(): ForetokenError {
    return new ForetokenError('DISPOSED', `The session of ${this.path} was disposed of.`, { file: this.path });
  }
}
