import { parentPort, type Worker } from 'node:worker_threads';
import { ForetokenError } from '@foretoken/core';
import { hasMethods, wrongValue } from '@foretoken/core/kit';

const STOP = 'stop';
const STOPPED = 'stopped';

/**
 * Does the work of a worker thread so that `stopWorker` can end it: `work` gets a signal that is then aborted, and resolves when
 * its decodes have ended and its models are disposed of.
 *
 * ONNX Runtime for Node aborts the whole process where a thread ends inside one of its calls: by `worker.terminate()`, or by
 * `process.exit()` in any thread. So the worker must come to rest first. Call this before anything else listens to `parentPort`.
 * Resolves with the work, also where that ends with the signal's reason. Throws what `work` throws otherwise, and
 * `INVALID_ARGUMENT` outside a worker.
 */
export async function runStoppable(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const port = parentPort;
  if (port === null) {
    throw new ForetokenError('INVALID_ARGUMENT', 'runStoppable is for worker threads; this is the main thread.', {});
  }
  const controller = new AbortController();
  const { signal } = controller;
  const working = (async () => work(signal))();
  const rested = working.then(
    () => undefined,
    () => undefined,
  );
  port.on('message', (message: unknown) => {
    if (!says(message, STOP)) return;
    controller.abort(new Error('The worker was asked to stop.'));
    void rested.then(() => port.postMessage({ foretoken: STOPPED }));
  });
  try {
    await working;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    // Still answers, but does not keep the thread alive for that.
    if (port.listenerCount('message') === 1) port.unref();
  }
}

/**
 * Ends a worker that does its work in `runStoppable`: asks it to stop, waits until it has come to rest, terminates it, and gives its
 * exit code; 0 where it had ended before this was called. Await this before `process.exit()` too.
 *
 * It takes as long as the forwards that are running, and as the work takes to end when its signal is aborted. A worker that does not
 * use `runStoppable` never answers; then this waits for it to end by itself. Other listeners of the worker and of its `parentPort`
 * see one more message each, an object with the one field `foretoken`.
 */
export async function stopWorker(worker: Worker): Promise<number> {
  if (!hasMethods(worker, 'once', 'on', 'off', 'postMessage', 'terminate')) {
    throw wrongValue('worker', worker, 'a Worker of node:worker_threads');
  }
  // A worker that ends by itself in between has no code left to give to `terminate`.
  let code: number | undefined;
  const ended = (exitCode: number): void => {
    code = exitCode;
  };
  worker.once('exit', ended);
  // It has ended, and will not answer.
  if (worker.threadId !== -1) {
    await new Promise<void>((resolve) => {
      const heard = (message: unknown): void => {
        if (says(message, STOPPED)) done();
      };
      const done = (): void => {
        worker.off('message', heard);
        worker.off('exit', done);
        resolve();
      };
      worker.on('message', heard);
      worker.on('exit', done);
      worker.postMessage({ foretoken: STOP });
    });
  }
  const given: number | undefined = await worker.terminate();
  worker.off('exit', ended);
  return code ?? given ?? 0;
}

function says(message: unknown, word: string): boolean {
  return typeof message === 'object' && message !== null && 'foretoken' in message && message.foretoken === word;
}
