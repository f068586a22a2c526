import { ForetokenError } from '../contract/errors.js';
import { wrongValue } from '../kit/checks.js';
import { integer } from '../kit/options.js';
import { readingOf } from '../kit/typed-arrays.js';
import type { InferenceSession, OnnxRuntime } from './onnx-runtime.js';

/** Whether this is onnxruntime-web, which runs in browsers, and in Node too. */
export function isWebRuntime({ env }: OnnxRuntime): boolean {
  return env?.versions?.web !== undefined;
}

/** Throws `INVALID_ARGUMENT` unless this is a module of ONNX Runtime. */
export function assertRuntime(runtime: OnnxRuntime): void {
  if (isRuntime(runtime)) return;
  throw wrongValue('runtime', runtime, 'a module of ONNX Runtime with Tensor and InferenceSession');
}

function isRuntime(runtime: OnnxRuntime): boolean {
  try {
    const { Tensor, InferenceSession, env } = runtime;
    const isModule = typeof Tensor === 'function' && typeof InferenceSession.create === 'function';
    return isModule && (!isWebRuntime(runtime) || typeof env?.wasm === 'object');
  } catch {
    return false;
  }
}

const threads = integer(1);

/** What a page settled, where it did. */
function numThreadsOf(wasm: { readonly numThreads?: number | undefined }): number | undefined {
  return readingOf('runtime.env.wasm', wasm, 'an object that can be read', () => {
    const { numThreads } = wasm;
    return typeof numThreads === 'number' && numThreads > 0 ? numThreads : undefined;
  });
}

/** The session that is made last; others wait for it. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Makes a session. Those of onnxruntime-web are made one after another: it keeps the weights that it is given in one place for all of
 * them while it makes one, by the names that graphs give them, so two at once would take each other's.
 */
export function createSession(
  runtime: OnnxRuntime,
  graph: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const create = (): Promise<InferenceSession> => runtime.InferenceSession.create(graph, options);
  if (!isWebRuntime(runtime)) return create();
  const made = last.then(create);
  last = made.catch(() => undefined);
  return made;
}

/**
 * The number of threads for the sessions of a runtime, `asked` or not; `undefined` where each session may have its own and none was
 * asked for. onnxruntime-web has one number for all sessions, which is settled when the first is made: what `env.wasm.numThreads`
 * says, otherwise `asked`, otherwise 1, since small models are slower with more.
 *
 * Throws `UNSUPPORTED_CAPABILITY` where a page may not have threads, `INVALID_ARGUMENT` where another number is settled.
 */
export function threadsOf(runtime: OnnxRuntime, asked: number | undefined): number | undefined {
  assertRuntime(runtime);
  if (asked !== undefined) threads('threads', asked);
  if (!isWebRuntime(runtime) || runtime.env === undefined) return asked;
  const { wasm } = runtime.env;
  const settled = numThreadsOf(wasm);
  const isolated = (globalThis as { crossOriginIsolated?: boolean | undefined }).crossOriginIsolated !== false;
  if (asked !== undefined && asked > 1 && !isolated) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${asked} threads were asked for, but this page may have one only: it is not cross-origin isolated. Serve it with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp", or leave threads out.`,
      { capability: 'threads', received: asked, required: 1 },
    );
  }
  if (asked !== undefined && settled !== undefined && asked !== settled) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `threads is ${asked}, but ONNX Runtime Web has ${settled} for all its sessions. Leave threads out, or set env.wasm.numThreads before the first session.`,
      { option: 'threads', received: asked, required: settled },
    );
  }
  wasm.numThreads = settled ?? asked ?? 1;
  // More than a page may have is not what it gets.
  return isolated ? wasm.numThreads : 1;
}
